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

    version("1.23.0", tag="v1.23.0", commit="fb682ce761a2705e40f9b5d528737a3e0eb33cec")
    version("1.14.0", tag="v1.14.0", commit="a7e19aea36d8cdd9d053acf73f90400af41866d7")
    version("1.13.0", tag="v1.13.0", commit="9793df569ce413f4b1844a9176f7ae24dd981603")

    depends_on("cudnn@9:")

    def install(self, spec, prefix):
        install_tree("include", prefix.include)
