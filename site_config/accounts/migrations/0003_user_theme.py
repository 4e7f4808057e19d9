from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_language")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="theme",
            field=models.CharField(
                choices=[
                    ("system", "Like the device"),
                    ("light", "Light"),
                    ("dark", "Dark"),
                ],
                db_default="system",
                default="system",
                max_length=6,
                verbose_name="look",
            ),
        ),
    ]
