from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("messaging", "0005_access"),
    ]

    operations = [
        migrations.AddField(
            model_name="participation",
            name="is_flat",
            # The database knows the default too: a process of the release before may still write.
            field=models.BooleanField(
                db_default=False, default=False, verbose_name="shown in time order"
            ),
        ),
    ]
