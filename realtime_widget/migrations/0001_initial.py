

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import realtime_widget.messages
import realtime_widget.models.markup
import realtime_widget.models.schemas
import realtime_widget.models.styles
import realtime_widget.models.validators
import realtime_widget.models.widgets
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('sites', '0002_alter_domain_unique'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Avatar',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, unique=True, verbose_name='name')),
                ('image', models.ImageField(blank=True, help_text='PNG, JPEG, WebP or GIF, at most 2 MB; a square one fits best. Empty: the built-in picture.', upload_to='realtime_widget/avatars/', validators=[django.core.validators.FileExtensionValidator(['png', 'jpg', 'jpeg', 'webp', 'gif']), realtime_widget.models.validators.validate_avatar], verbose_name='picture')),
                ('alt', models.CharField(blank=True, help_text='Read aloud to people who do not see it. Empty: it is decoration.', max_length=200, verbose_name='description of the picture')),
                ('max_scale', models.FloatField(default=2.5, help_text='How many times its size it may grow with the voice, from 1 (never) to 5.', validators=[django.core.validators.MinValueValidator(1.0), django.core.validators.MaxValueValidator(5.0)], verbose_name='largest size while speaking')),
                ('image_styles', models.JSONField(blank=True, default=dict, help_text='A JSON object, for example {"padding": "5px"}.', validators=[realtime_widget.models.styles.validate_styles], verbose_name='CSS of the picture')),
                ('container_styles', models.JSONField(blank=True, default=dict, help_text='A JSON object, for example {"height": "60%"}.', validators=[realtime_widget.models.styles.validate_styles], verbose_name='CSS of the area around it')),
            ],
            options={
                'verbose_name': 'avatar',
                'verbose_name_plural': 'avatars',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='ButtonSet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, unique=True, verbose_name='name')),
                ('container_styles', models.JSONField(blank=True, default=dict, help_text='A JSON object, for example {"backgroundColor": "#f7f7f7"}.', validators=[realtime_widget.models.styles.validate_styles], verbose_name='CSS of the area with the buttons')),
            ],
            options={
                'verbose_name': 'button set',
                'verbose_name_plural': 'button sets',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Provider',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='How you call it, in lists.', max_length=100, unique=True, verbose_name='name')),
                ('kind', models.CharField(choices=[('local', 'Embedded engine'), ('openai', 'OpenAI'), ('azure', 'Azure OpenAI'), ('compatible', 'Compatible server')], default='local', help_text='The embedded engine needs no key and no network.', max_length=20, verbose_name='kind')),
                ('base_url', models.CharField(blank=True, help_text='Empty for OpenAI and for the embedded engine in this process. Azure: https://NAME.openai.azure.com. Compatible server: its address up to and including /v1.', max_length=500, validators=[realtime_widget.models.validators.validate_base_url], verbose_name='address')),
                ('dialect', models.CharField(choices=[('auto', 'Find out'), ('ga', 'GA'), ('beta', 'Beta (older compatible servers)')], default='auto', help_text='Leave it on “Find out” unless a compatible server needs the beta spelling.', max_length=10, verbose_name='dialect')),
                ('model', models.CharField(default='gpt-realtime-2.1', help_text='Name of the realtime model; on Azure the name of the deployment.', max_length=100, verbose_name='model')),
                ('key_name', models.CharField(blank=True, help_text='Name of the environment variable or setting that holds the key, for example OPENAI_API_KEY. Never the key itself.', max_length=100, validators=[realtime_widget.models.validators.validate_key_name], verbose_name='name of the key')),
                ('health_state', models.CharField(choices=[('unknown', 'Not tried yet'), ('ok', 'Working'), ('failing', 'Failing')], default='unknown', editable=False, max_length=10, verbose_name='state')),
                ('health_reason', models.CharField(blank=True, editable=False, max_length=200, verbose_name='reason')),
                ('health_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='last tried')),
            ],
            options={
                'verbose_name': 'provider',
                'verbose_name_plural': 'providers',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Tool',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='What the model calls it, for example order_status. The Python function of this name answers, unless a row below names another.', max_length=64, unique=True, validators=[realtime_widget.models.validators.validate_function_name], verbose_name='name')),
                ('description', models.TextField(blank=True, help_text='When to use it and what it gives, in plain words: the model decides by this text. Empty: the description of the function.', verbose_name='description')),
                ('parameters', models.JSONField(blank=True, default=dict, help_text="JSON Schema of the arguments, an object. Empty: made from the function's signature.", validators=[realtime_widget.models.schemas.validate_parameters], verbose_name='parameters')),
                ('runs_on', models.CharField(choices=[('server', 'On the server'), ('browser', "In the visitor's page")], default='server', max_length=10, verbose_name='runs')),
                ('timeout_s', models.FloatField(blank=True, help_text="The model is told when the function takes longer. Empty: the function's own limit, else the site's setting.", null=True, validators=[django.core.validators.MinValueValidator(0.1), django.core.validators.MaxValueValidator(120.0)], verbose_name='time limit (seconds)')),
                ('requires_login', models.BooleanField(default=False, help_text='Others are asked to sign in instead.', verbose_name='for signed-in visitors only')),
                ('permission', models.CharField(blank=True, help_text='For example shop.view_order. Empty: everybody.', max_length=200, verbose_name='needed permission')),
                ('enabled', models.BooleanField(default=True, help_text='Off: no agent can use it.', verbose_name='enabled')),
            ],
            options={
                'verbose_name': 'tool',
                'verbose_name_plural': 'tools',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Conversation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name='id')),
                ('widget_slug', models.CharField(blank=True, help_text='Stays when it is deleted.', max_length=50, verbose_name='slug of the widget')),
                ('session_key_hash', models.CharField(blank=True, db_index=True, max_length=64, verbose_name='fingerprint of the browser session')),
                ('language', models.CharField(blank=True, max_length=35, verbose_name='language')),
                ('origin', models.CharField(blank=True, help_text='Scheme, host and port of the page.', max_length=300, verbose_name='origin')),
                ('provider_name', models.CharField(blank=True, max_length=100, verbose_name='provider')),
                ('model', models.CharField(blank=True, max_length=100, verbose_name='model')),
                ('agent_name', models.CharField(blank=True, max_length=100, verbose_name='agent')),
                ('status', models.CharField(choices=[('open', 'Open'), ('ended', 'Ended')], default='open', max_length=10, verbose_name='status')),
                ('reason', models.CharField(blank=True, help_text='user, idle, time_limit, quota, upstream, error, replaced or draining.', max_length=20, verbose_name='reason of the end')),
                ('error_code', models.CharField(blank=True, max_length=40, verbose_name='error')),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='started')),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended')),
                ('duration_s', models.FloatField(default=0.0, verbose_name='duration (seconds)')),
                ('heartbeat_at', models.DateTimeField(blank=True, help_text='An open conversation without one for minutes was cut off with its server.', null=True, verbose_name='last sign of life')),
                ('site', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='sites.site', verbose_name='site')),
                ('user', models.ForeignKey(blank=True, help_text='Empty: not signed in.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='visitor')),
            ],
            options={
                'verbose_name': 'conversation',
                'verbose_name_plural': 'conversations',
                'ordering': ['-started_at'],
                'permissions': [('view_transcript', 'Can read what was said')],
                'get_latest_by': 'started_at',
            },
        ),
        migrations.CreateModel(
            name='Agent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='Shown to visitors beside its words.', max_length=100, unique=True, verbose_name='name')),
                ('instructions', models.TextField(blank=True, help_text='Who it is, how it speaks, what it must and must not do. Visitors never see this text, but a clever one may get it told: put no secrets here.', verbose_name='instructions')),
                ('voice', models.CharField(blank=True, help_text="Empty: the provider's own. OpenAI has alloy, ash, ballad, cedar, coral, echo, marin, sage, shimmer and verse.", max_length=100, verbose_name='voice')),
                ('speed', models.FloatField(default=1.0, help_text='From 0.25 (slow) to 1.5 (fast); 1 is normal.', validators=[django.core.validators.MinValueValidator(0.25), django.core.validators.MaxValueValidator(1.5)], verbose_name='speed of speech')),
                ('max_output_tokens', models.PositiveIntegerField(blank=True, help_text="From 1 to 4096. Empty: the provider's own bound.", null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(4096)], verbose_name='longest answer (tokens)')),
                ('handoffs', models.ManyToManyField(blank=True, help_text='Agents it may pass a conversation to.', related_name='reached_from', to='realtime_widget.agent', verbose_name='hands over to')),
                ('tools', models.ManyToManyField(blank=True, help_text='It can use these and no others.', related_name='agents', to='realtime_widget.tool', verbose_name='tools')),
            ],
            options={
                'verbose_name': 'agent',
                'verbose_name_plural': 'agents',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='ToolCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('call_id', models.CharField(max_length=100, verbose_name='id of the call')),
                ('name', models.CharField(max_length=100, verbose_name='tool')),
                ('arguments', models.TextField(blank=True, help_text='As the model wrote them.', verbose_name='arguments')),
                ('output', models.TextField(blank=True, help_text='As the model was given it.', verbose_name='answer')),
                ('status', models.CharField(default='completed', help_text='completed, failed, timeout, unknown_tool, bad_arguments or cancelled.', max_length=20, verbose_name='status')),
                ('duration_ms', models.PositiveIntegerField(default=0, verbose_name='duration (ms)')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='time')),
                ('conversation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tool_calls', to='realtime_widget.conversation', verbose_name='conversation')),
            ],
            options={
                'verbose_name': 'tool call',
                'verbose_name_plural': 'tool calls',
                'ordering': ['created_at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Usage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('response', 'Answer'), ('transcription', 'Transcription')], default='response', max_length=20, verbose_name='kind')),
                ('model', models.CharField(blank=True, max_length=100, verbose_name='model')),
                ('response_id', models.CharField(blank=True, max_length=100, verbose_name='id of the answer')),
                ('raw', models.JSONField(blank=True, default=dict, verbose_name='as the provider sent it')),
                ('text_in', models.PositiveIntegerField(default=0, verbose_name='text in (tokens)')),
                ('audio_in', models.PositiveIntegerField(default=0, verbose_name='audio in (tokens)')),
                ('cached_in', models.PositiveIntegerField(default=0, verbose_name='of these cached (tokens)')),
                ('text_out', models.PositiveIntegerField(default=0, verbose_name='text out (tokens)')),
                ('audio_out', models.PositiveIntegerField(default=0, verbose_name='audio out (tokens)')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='time')),
                ('conversation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='usage', to='realtime_widget.conversation', verbose_name='conversation')),
            ],
            options={
                'verbose_name': 'usage',
                'verbose_name_plural': 'usage',
                'ordering': ['created_at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Widget',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('turn_detection', models.CharField(choices=[('server_vad', 'By silence'), ('semantic_vad', 'By meaning'), ('none', 'Push to talk')], default='server_vad', help_text='How the agent knows that the visitor has finished.', max_length=20, verbose_name='end of a turn')),
                ('vad_threshold', models.FloatField(default=0.5, help_text='From 0 to 1; higher for noisy places. By silence only.', validators=[django.core.validators.MinValueValidator(0.0), django.core.validators.MaxValueValidator(1.0)], verbose_name='threshold of speech')),
                ('prefix_padding_ms', models.PositiveIntegerField(default=300, help_text='So that the first sound is not lost. By silence only.', validators=[django.core.validators.MaxValueValidator(5000)], verbose_name='audio kept before speech (ms)')),
                ('silence_duration_ms', models.PositiveIntegerField(default=500, help_text='Shorter answers sooner, longer lets people think. By silence only.', validators=[django.core.validators.MinValueValidator(100), django.core.validators.MaxValueValidator(10000)], verbose_name='silence that ends a turn (ms)')),
                ('eagerness', models.CharField(choices=[('auto', 'Automatic'), ('low', 'Let the visitor finish'), ('medium', 'Medium'), ('high', 'Answer quickly')], default='auto', help_text='How soon it answers. By meaning only.', max_length=10, verbose_name='eagerness')),
                ('interrupt_response', models.BooleanField(default=True, help_text='The agent stops when the visitor speaks.', verbose_name='visitors may interrupt')),
                ('idle_timeout_ms', models.PositiveIntegerField(blank=True, help_text='From 5000 to 30000. Empty: it waits. By silence only.', null=True, validators=[django.core.validators.MinValueValidator(5000), django.core.validators.MaxValueValidator(30000)], verbose_name='ask again after silence (ms)')),
                ('audio_format', models.CharField(choices=[('pcm16', 'PCM, 24 kHz (best)'), ('pcmu', 'G.711 mu-law, 8 kHz (least data)'), ('pcma', 'G.711 A-law, 8 kHz (least data)')], default='pcm16', max_length=10, verbose_name='audio format')),
                ('noise_reduction', models.CharField(blank=True, choices=[('', 'Off'), ('near_field', 'Headset or phone'), ('far_field', 'Laptop or room')], default='', max_length=20, verbose_name='noise reduction')),
                ('transcription_model', models.CharField(blank=True, default='gpt-transcribe', help_text='Writes down what visitors say. Empty: their words are not written down.', max_length=100, verbose_name='transcription model')),
                ('slug', models.SlugField(help_text="Its name in the page's tag and in addresses.", unique=True, verbose_name='slug')),
                ('title', models.CharField(blank=True, help_text="Heading of the widget, also for screen readers. Empty: the agent's name.", max_length=100, verbose_name='title')),
                ('enabled', models.BooleanField(default=True, help_text='Off: pages show nothing, no session opens.', verbose_name='enabled')),
                ('allowed_origins', models.JSONField(blank=True, default=list, help_text='Origins of foreign pages, for example ["https://shop.example.org"]. Pages of this site need no entry.', validators=[realtime_widget.models.validators.validate_origins], verbose_name='other pages that may use it')),
                ('theme', models.CharField(choices=[('auto', "As the visitor's device"), ('light', 'Light'), ('dark', 'Dark')], default='auto', max_length=10, verbose_name='theme')),
                ('loading_text', models.CharField(blank=True, help_text='Empty: “Loading”.', max_length=100, verbose_name='words while connecting')),
                ('loading_html', models.TextField(blank=True, help_text='Shown instead of the words: plain elements and SVG, no scripts or pictures.', validators=[realtime_widget.models.markup.validate_html], verbose_name='HTML while connecting')),
                ('loading_display', models.BooleanField(default=True, verbose_name='show that it is connecting')),
                ('loading_styles', models.JSONField(blank=True, default=dict, help_text='A JSON object, for example {"top": "20px"}.', validators=[realtime_widget.models.styles.validate_styles], verbose_name='CSS while connecting')),
                ('error_text', models.CharField(blank=True, help_text='Shown instead of the exact reason. Empty: the reason, in plain words.', max_length=200, verbose_name='words for an error')),
                ('error_styles', models.JSONField(blank=True, default=dict, help_text='A JSON object, for example {"color": "orange"}.', validators=[realtime_widget.models.styles.validate_styles], verbose_name='CSS of an error')),
                ('text_only', models.BooleanField(default=False, help_text='No microphone and no voice, a written chat.', verbose_name='text only')),
                ('auto_start', models.BooleanField(default=False, help_text='Browsers may still ask for one tap before they play a voice.', verbose_name='start by itself')),
                ('captions', models.BooleanField(default=True, help_text='Show what both sides say.', verbose_name='captions')),
                ('text_box', models.BooleanField(default=True, help_text='Visitors may type instead of speaking.', verbose_name='text box')),
                ('greeting', models.TextField(blank=True, help_text='What the agent says first. Empty: it waits for the visitor.', max_length=500, verbose_name='greeting')),
                ('texts', models.JSONField(blank=True, default=dict, help_text='Replaces words of the widget, for example {"start": "Talk to us"}.', validators=[realtime_widget.messages.validate_texts], verbose_name='own words')),
                ('message_roles', models.JSONField(blank=True, default=realtime_widget.models.widgets.default_message_roles, help_text="“user” is enough. With “system” or “assistant”, anybody who opens the page's console can speak to the model in that role.", validators=[realtime_widget.models.validators.validate_message_roles], verbose_name='roles of messages from the page')),
                ('variables', models.JSONField(blank=True, default=list, help_text='Names, for example ["order"]. The model gets them as unverified hints.', validators=[realtime_widget.models.validators.validate_variables], verbose_name='facts the page may tell')),
                ('max_session_s', models.FloatField(blank=True, help_text="Empty: the site's setting.", null=True, validators=[django.core.validators.MinValueValidator(10.0)], verbose_name='longest conversation (seconds)')),
                ('idle_s', models.FloatField(blank=True, help_text="Empty: the site's setting.", null=True, validators=[django.core.validators.MinValueValidator(5.0)], verbose_name='end after silence (seconds)')),
                ('agent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='widgets', to='realtime_widget.agent', verbose_name='agent')),
                ('avatar', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='widgets', to='realtime_widget.avatar', verbose_name='avatar')),
                ('buttons', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='widgets', to='realtime_widget.buttonset', verbose_name='buttons')),
                ('provider', models.ForeignKey(blank=True, help_text='Empty: the embedded engine, which needs no key.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='widgets', to='realtime_widget.provider', verbose_name='provider')),
                ('sites', models.ManyToManyField(blank=True, help_text='Where it may be shown. None chosen: on every site.', related_name='+', to='sites.site', verbose_name='sites')),
            ],
            options={
                'verbose_name': 'widget',
                'verbose_name_plural': 'widgets',
                'ordering': ['slug'],
            },
        ),
        migrations.AddField(
            model_name='conversation',
            name='widget',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='conversations', to='realtime_widget.widget', verbose_name='widget'),
        ),
        migrations.CreateModel(
            name='Button',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('microphone', 'Microphone'), ('toggle', 'Start and stop')], max_length=20, verbose_name='button')),
                ('state', models.CharField(choices=[('default', 'Normal'), ('active', 'Active (muted, or in conversation)'), ('unavailable', 'Unavailable')], default='default', max_length=20, verbose_name='state')),
                ('svg', models.TextField(blank=True, help_text='The source text of an SVG drawing. Empty: the built-in icon.', validators=[realtime_widget.models.markup.validate_svg], verbose_name='icon (SVG)')),
                ('hide_icon', models.BooleanField(default=False, help_text='Show the text alone.', verbose_name='no icon')),
                ('text', models.CharField(blank=True, help_text='Words on the button.', max_length=60, verbose_name='text')),
                ('styles', models.JSONField(blank=True, default=dict, help_text='A JSON object with the parts “container”, “svg” and “text”, each with the mouse states “default”, “hover” and “click”: {"container": {"hover": {"backgroundColor": "#eee"}}}.', validators=[realtime_widget.models.styles.validate_button_styles], verbose_name='CSS')),
                ('button_set', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='buttons', to='realtime_widget.buttonset', verbose_name='button set')),
            ],
            options={
                'verbose_name': 'button',
                'verbose_name_plural': 'buttons',
                'ordering': ['button_set', 'kind', 'state'],
                'constraints': [models.UniqueConstraint(fields=('button_set', 'kind', 'state'), name='realtime_widget_button_state', violation_error_message='This button already has a look for this state.')],
            },
        ),
        migrations.CreateModel(
            name='Item',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('item_id', models.CharField(max_length=100, verbose_name='id of the item')),
                ('position', models.PositiveIntegerField(default=0, verbose_name='position')),
                ('role', models.CharField(choices=[('user', 'Visitor'), ('assistant', 'Agent'), ('system', 'System')], default='user', max_length=10, verbose_name='who')),
                ('source', models.CharField(choices=[('voice', 'Spoken'), ('text', 'Typed')], default='voice', max_length=10, verbose_name='how')),
                ('text', models.TextField(blank=True, verbose_name='words')),
                ('status', models.CharField(choices=[('completed', 'Complete'), ('interrupted', 'Interrupted'), ('failed', 'Failed')], default='completed', max_length=15, verbose_name='status')),
                ('heard_ms', models.PositiveIntegerField(blank=True, help_text='How much of an interrupted answer the visitor heard.', null=True, verbose_name='heard (ms)')),
                ('agent', models.CharField(blank=True, max_length=100, verbose_name='agent')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='time')),
                ('conversation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='realtime_widget.conversation', verbose_name='conversation')),
            ],
            options={
                'verbose_name': 'item',
                'verbose_name_plural': 'items',
                'ordering': ['conversation', 'position', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('conversation', 'item_id'), name='realtime_widget_item_once')],
            },
        ),
        migrations.CreateModel(
            name='FunctionHandler',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('handler', models.CharField(help_text='Name of a function that is marked with @function_handler.', max_length=100, verbose_name='function')),
                ('site', models.ForeignKey(blank=True, help_text='Empty: every site that has no row of its own.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='sites.site', verbose_name='site')),
                ('tool', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='handlers', to='realtime_widget.tool', verbose_name='tool')),
            ],
            options={
                'verbose_name': 'function handler',
                'verbose_name_plural': 'function handlers',
                'ordering': ['tool', 'site'],
                'constraints': [models.UniqueConstraint(fields=('tool', 'site'), name='realtime_widget_handler_per_site', violation_error_message='This tool already has a function on this site.'), models.UniqueConstraint(condition=models.Q(('site', None)), fields=('tool',), name='realtime_widget_handler_any_site', violation_error_message='This tool already has a function for every site.')],
            },
        ),
        migrations.AddConstraint(
            model_name='agent',
            constraint=models.CheckConstraint(condition=models.Q(('speed__gte', 0.25), ('speed__lte', 1.5)), name='realtime_widget_agent_speed', violation_error_message='The speed must be from 0.25 to 1.5.'),
        ),
        migrations.AddIndex(
            model_name='toolcall',
            index=models.Index(fields=['name', 'status'], name='rtw_toolcall_status'),
        ),
        migrations.AddConstraint(
            model_name='toolcall',
            constraint=models.UniqueConstraint(fields=('conversation', 'call_id'), name='realtime_widget_call_once'),
        ),
        migrations.AddIndex(
            model_name='usage',
            index=models.Index(fields=['created_at'], name='rtw_usage_created'),
        ),
        migrations.AddConstraint(
            model_name='widget',
            constraint=models.CheckConstraint(condition=models.Q(('vad_threshold__gte', 0), ('vad_threshold__lte', 1)), name='realtime_widget_threshold', violation_error_message='The threshold must be from 0 to 1.'),
        ),
        migrations.AddIndex(
            model_name='conversation',
            index=models.Index(fields=['-started_at'], name='rtw_conversation_started'),
        ),
        migrations.AddIndex(
            model_name='conversation',
            index=models.Index(fields=['widget', '-started_at'], name='rtw_conversation_widget'),
        ),
        migrations.AddIndex(
            model_name='conversation',
            index=models.Index(fields=['status', 'heartbeat_at'], name='rtw_conversation_alive'),
        ),
    ]
