from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    """Sessions in the database; for a key that none of them can have, it isn't asked.

    A cookie can spell any character, NUL too, which PostgreSQL answers with an error.
    """

    def _validate_session_key(self, key):
        return super()._validate_session_key(key) and key.isascii() and key.isalnum()
