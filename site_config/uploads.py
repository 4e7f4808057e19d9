from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import MemoryFileUploadHandler


class FormSizedUploadHandler(MemoryFileUploadHandler):
    """Nobody sends files here: a form with one may be as large as any other form, and no larger.

    Django would take a file of any size, and keep it on the disk.
    """

    def handle_raw_input(self, input_data, meta, content_length, *args, **kwargs):
        if content_length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig("A form with files is larger than DATA_UPLOAD_MAX_MEMORY_SIZE.")
        super().handle_raw_input(input_data, meta, content_length, *args, **kwargs)
