"""Delete an account, and be killed in the middle of it: again and again, each time elsewhere.

python -m site_config.tests.killed <user id>    prints a digest of the database before, after each
kill within the transaction, and after a kill between the commit and what follows it.
"""

import hashlib
import os
import signal
import sys

POINTS = 10


def main(user_id):
    import django

    django.setup()
    queries = int(_in_child(lambda: _try(user_id)))
    points = [1 + point * (queries - 1) // (POINTS - 1) for point in range(POINTS)]
    for kill_at in [*points, "commit", None]:
        sys.stdout.write(f"{_in_child(lambda kill_at=kill_at: _look_and_die(user_id, kill_at))}\n")


def _in_child(deed):
    """Do it in a process of its own, which may be killed; return what it said."""
    sys.stdout.flush()
    reader, writer = os.pipe()
    if child := os.fork():
        os.close(writer)
        with os.fdopen(reader) as said:
            words = said.read()
        os.waitpid(child, 0)
        return words
    for words in deed():
        os.write(writer, str(words).encode())
    os._exit(0)


def _try(user_id):
    """Tell how many queries it takes."""
    from django.db import transaction

    with transaction.atomic():
        yield _delete(user_id)
        transaction.set_rollback(True)


def _look_and_die(user_id, kill_at):
    yield _digest()
    if kill_at:
        _delete(user_id, kill_at)


def _delete(user_id, kill_at=None):
    from django.contrib.auth import get_user_model
    from django.db import connection, transaction

    from site_config.accounts.services import AccountService

    number = 0

    def count(execute, *args):
        nonlocal number
        number += 1
        result = execute(*args)
        if number == kill_at:
            _kill()
        return result

    with transaction.atomic():
        if kill_at == "commit":
            transaction.on_commit(_kill)  # the first of all that follow
        user = get_user_model().objects.get(pk=user_id)
        with connection.execute_wrapper(count):
            AccountService.delete(user)
    return number


def _kill():
    os.kill(os.getpid(), signal.SIGKILL)


def _digest():
    from messaging.tests.dump import dump

    return hashlib.sha256(repr(sorted(dump().items())).encode()).hexdigest()


if __name__ == "__main__":
    main(int(sys.argv[1]))
