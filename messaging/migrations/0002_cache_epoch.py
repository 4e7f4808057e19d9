from django.db import migrations


def begin_epoch(apps, schema_editor):
    apps.get_model("messaging", "CacheEpoch").objects.create()


class Migration(migrations.Migration):
    """The one row that every cache key begins with."""

    dependencies = [("messaging", "0001_initial")]

    operations = [migrations.RunPython(begin_epoch, migrations.RunPython.noop)]
