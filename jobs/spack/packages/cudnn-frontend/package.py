from spack.package import *

try:  # where Spack 1 keeps its build systems; Spack 0.2x exports them with the rest
    from spack_repo.builtin.build_systems.generic import Package
except ImportError:
    pass


class CudnnFrontend(Package):
    """Headers that describe cuDNN's graphs in C++. Not among Spack's own packages."""

    homepage = "https://github.com/NVIDIA/cudnn-frontend"
    git = "https://github.com/NVIDIA/cudnn-frontend.git"
    license("MIT")

    version("1.14.0", tag="v1.14.0")
    version("1.9.0", tag="v1.9.0")

    depends_on("cudnn@9:")

    def install(self, spec, prefix):
        install_tree("include", prefix.include)
