from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_trail'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='verified_how',
            field=models.CharField(choices=[('passport', 'Passport'), ('id_card', 'National identity card'), ('driving_licence', 'Driving licence'), ('electronic', 'Electronic identity, such as BankID'), ('employer', 'Known at the hospital and confirmed by its personnel office')], max_length=16, null=True),
        ),
    ]
