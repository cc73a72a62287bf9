import uuid

import django.db.models.deletion
from django.db import migrations, models

import pallsoft.audit.models
from pallsoft.audit.operations import Grant, Regulated


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0002_anchors_and_looking_back"),
        ("sites", "0007_contact_trail"),
        ("trials", "0002_trail"),
    ]

    operations = [
        migrations.CreateModel(
            name='AliveInRecord',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField(null=True)),
                ('ended_in', models.UUIDField(null=True)),
                ('created_in', models.ForeignKey(db_column='created_in', db_constraint=False, db_default=pallsoft.audit.models.CurrentChangeSet(), db_index=False, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='audit.changeset')),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='trials.study')),
                ('subject', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='alive_in_record', to='sites.subject')),
            ],
            options={
                'ordering': ['day'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_in__isnull', True)), fields=('subject', 'day'), name='alive_in_record_once_a_day')],
            },
        ),
        Regulated("sites_aliveinrecord", insert_only=True, write_once=["ended_in"], ends=["ended_in"]),
        Grant("sites_aliveinrecord", "SELECT, INSERT, UPDATE (ended_in)"),
    ]
