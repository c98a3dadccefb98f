import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('realtime_widget', '0007_agents_that_hand_over_and_guardrails'),
    ]

    operations = [
        migrations.AddField(
            model_name='provider',
            name='check_ms',
            field=models.PositiveIntegerField(blank=True, editable=False, null=True, verbose_name='last check took (ms)'),
        ),
        migrations.CreateModel(
            name='FallbackProvider',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField(default=1, help_text='Lower is tried first.', verbose_name='order')),
                ('provider', models.ForeignKey(help_text='Answers when those before it do not.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='realtime_widget.provider', verbose_name='provider')),
                ('widget', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='fallbacks', to='realtime_widget.widget', verbose_name='widget')),
            ],
            options={
                'verbose_name': 'fallback provider',
                'verbose_name_plural': 'fallback providers',
                'ordering': ['position', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('widget', 'provider'), name='realtime_widget_fallback_once', violation_error_message='This provider is listed already.')],
            },
        ),
    ]
