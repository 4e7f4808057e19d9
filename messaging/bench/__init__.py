"""What `manage.py bench` is made of: scratch data, measuring, checking, the table."""
