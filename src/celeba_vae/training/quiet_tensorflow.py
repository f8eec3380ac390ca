"""Loading TensorFlow without what it says of itself on standard error."""

import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

# "I0000 00:00:1795414783.548785 7350 port.cc:153] oneDNN custom operations are on" and the like
_START_UP_LINE = re.compile(rb"WARNING: All log messages before absl::|[IWE]\d{4} [\d:.]+ +\d+ [\w.]+:\d+\]")
# said once a process, though it is an error of neither TensorFlow nor the user: Keras' upsampling has a gradient that
# transposes integers, and mixed_float16 needs what few processors have
_ONEDNN_LINE = re.compile(rb"E\d{4} [\d:.]+ +\d+ util\.cc:\d+\] oneDNN supports \w+ only on platforms with AVX-512")
_LOG_LEVEL = "1"
# where one peer is lost, the others' every thread says so, and then an exception does
_LOG_LEVEL_OF_PEERS = "3"


def load_tensorflow_quietly(among_peers: bool = False) -> None:
    """Load TensorFlow without its greetings, unless TF_CPP_MIN_LOG_LEVEL says what the user wants to see.

    Args:
        among_peers: This process trains together with others.
    """
    if "tensorflow" in sys.modules or "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = _LOG_LEVEL_OF_PEERS if among_peers else _LOG_LEVEL
    # said of every few models that a run loads, though each is traced once
    logging.getLogger("tensorflow").addFilter(lambda record: "triggered tf.function retracing" not in record.msg)
    with _lines_dropped(_START_UP_LINE):
        import tensorflow

        # looking for devices is what makes it report that there is no GPU driver
        tensorflow.config.list_physical_devices()


def drop_onednn_line() -> None:
    """Have oneDNN say here, unheard, that it leaves some types to Eigen; call it when the hardware is configured.

    With TF_CPP_MIN_LOG_LEVEL set, the user sees what it says.
    """
    import tensorflow

    if os.environ.get("TF_CPP_MIN_LOG_LEVEL") == _LOG_LEVEL:
        with _lines_dropped(_ONEDNN_LINE), tensorflow.device("CPU"):
            tensorflow.transpose(tensorflow.zeros((2, 2), tensorflow.int32))


@contextmanager
def _lines_dropped(pattern: re.Pattern[bytes]) -> Iterator[None]:
    """Drop matching log lines that C++ code writes to standard error, where no variable stops them and only them."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as held_back:
        os.dup2(held_back.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            held_back.seek(0)
            for line in held_back:
                if not pattern.match(line):
                    os.write(2, line)
