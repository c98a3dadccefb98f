from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('realtime_widget', '0015_generated_words_and_language'),
    ]

    operations = [
        migrations.AddField(
            model_name='widget',
            name='resume_across_pages',
            field=models.BooleanField(default=True, help_text='A conversation goes on when the visitor reloads the page or opens another one of the site with this widget.', verbose_name='go on across pages'),
        ),
    ]
