"""What the driver and the libraries say about the first GPU that programs started from here see; everything is empty where there
is none."""
import ctypes
import os
import statistics
import threading
import time

_GIB = 2**30
_SM, _MEMORY = 1, 2  # nvmlClockType_t


class _Memory(ctypes.Structure):
    _fields_ = [("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong)]


class Nvml:
    """NVIDIA's management library, of one GPU, called as in CUDA_VISIBLE_DEVICES."""

    def __init__(self, gpu=None):
        self.handle = None
        try:
            self.lib = ctypes.CDLL("libnvidia-ml.so.1")
        except OSError:
            return
        if self.lib.nvmlInit_v2() == 0:
            self.handle = self._handle_of(gpu or os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0])

    def _handle_of(self, gpu):
        # NVML counts by bus, as CUDA does where GPUs are alike.
        handle = ctypes.c_void_p()
        if gpu.isdigit():
            error = self.lib.nvmlDeviceGetHandleByIndex_v2(int(gpu), ctypes.byref(handle))
        else:
            error = self.lib.nvmlDeviceGetHandleByUUID(gpu.encode(), ctypes.byref(handle))
        return handle if error == 0 else None

    def used_gib(self):
        if self.handle is None:
            return None
        memory = _Memory()
        return memory.used / _GIB if self.lib.nvmlDeviceGetMemoryInfo(self.handle, ctypes.byref(memory)) == 0 else None

    def clock_mhz(self, kind=_SM):
        value = ctypes.c_uint()
        good = self.handle is not None and self.lib.nvmlDeviceGetClockInfo(self.handle, kind, ctypes.byref(value)) == 0
        return value.value if good else None

    def text(self, function, *arguments):
        value = ctypes.create_string_buffer(96)
        good = self.handle is not None and getattr(self.lib, function)(*arguments, value, 96) == 0
        return value.value.decode() if good else None

    def description(self):
        out = {"gpu": self.text("nvmlDeviceGetName", self.handle), "driver": self.text("nvmlSystemGetDriverVersion"),
               "memory_mhz": self.clock_mhz(_MEMORY)}
        return {key: value for key, value in out.items() if value is not None}


class Watch:
    """Most memory in use and the middle of the clocks while the block runs, seen every 20 ms."""

    def __init__(self, nvml):
        self.nvml, self.most_gib, self.clocks = nvml, None, []

    def __enter__(self):
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        if self.nvml.handle is not None:
            self._thread.start()
        return self

    def _look(self):
        while not self._stop.is_set():
            used, clock = self.nvml.used_gib(), self.nvml.clock_mhz()
            if used is not None:
                self.most_gib = max(used, self.most_gib or 0)
            if clock is not None:
                self.clocks.append(clock)
            time.sleep(0.02)

    def __exit__(self, *_):
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def sm_mhz(self):
        return statistics.median(self.clocks) if self.clocks else None


def library_versions():
    """Of the libraries that a program started from here would load."""
    def asked(library, function, by_reference):
        try:
            call = getattr(ctypes.CDLL(library), function)
        except (OSError, AttributeError):
            return None
        if by_reference:
            value = ctypes.c_int()
            return value.value if call(ctypes.byref(value)) == 0 else None
        call.restype = ctypes.c_size_t
        return call()

    out = {}
    for name, libraries, function, by_reference in (
            ("cublaslt", ("libcublasLt.so.13", "libcublasLt.so.12"), "cublasLtGetVersion", False),
            ("cudnn", ("libcudnn.so.9",), "cudnnGetVersion", False),
            ("nccl", ("libnccl.so.2",), "ncclGetVersion", True)):
        found = next((version for version in (asked(library, function, by_reference) for library in libraries) if version), None)
        if found:
            out[name] = found
    return out
