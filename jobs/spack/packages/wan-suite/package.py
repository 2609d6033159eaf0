from spack.package import *

try:  # where Spack 1 keeps its build systems; Spack 0.2x exports them with the rest
    from spack_repo.builtin.build_systems.cmake import CMakePackage
    from spack_repo.builtin.build_systems.cuda import CudaPackage
except ImportError:
    pass

# Generations that we compile for, of those that this Spack knows: 0.23 has no 100 yet.
ARCHITECTURES = [arch for arch in ("80", "90", "100") if arch in CudaPackage.cuda_arch_values]


class WanSuite(CMakePackage):
    """Wan 2.1 video generation as MPI batch programs: prepare videos, train, sample."""

    license("Apache-2.0")

    # Sources come from `spack develop` (spack.yaml at the project's root names the folder).
    version("main")
    generator("ninja")

    variant("cuda", default=False, description="Build the CUDA device library")
    variant("cuda_arch", default="none", values=("none", *ARCHITECTURES), multi=False, sticky=True, description="GPU generation")
    variant("tests", default=False, description="Build the tests")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("pkgconfig", type="build")

    depends_on("mpi")
    depends_on("hdf5@1.10:+mpi")
    depends_on("kokkos@3.4:4")
    depends_on("onednn@2.6:")
    depends_on("ffmpeg@5:+libx264+gpl")
    depends_on("sentencepiece")
    depends_on("icu4c")
    depends_on("xxhash")
    depends_on("yaml-cpp")
    depends_on("cli11@2.1:")
    depends_on("nlohmann-json")
    depends_on("spdlog")
    depends_on("googletest", when="+tests")
    depends_on("benchmark", when="+tests")

    # Kokkos built as C++20 passes kernel arguments at wrong offsets with nvcc 13; 4.7.01 is the first for CUDA 13.
    with when("+cuda"):
        depends_on("kokkos@4.7.01:4 +cuda+wrapper cxxstd=17")
        depends_on("cuda@12.4:13")
        if "100" in ARCHITECTURES:
            depends_on("cuda@12.8:", when="cuda_arch=100")
        depends_on("cudnn@9:")
        depends_on("nccl@2.14.3: +cuda")
        # The first that knows set_generate_stats.
        depends_on("cudnn-frontend@1.13:", type="build")
        for arch in ARCHITECTURES:
            depends_on(f"kokkos cuda_arch={arch}", when=f"cuda_arch={arch}")
            depends_on(f"nccl cuda_arch={arch}", when=f"cuda_arch={arch}")
        conflicts("cuda_arch=none", msg="+cuda needs cuda_arch, for example cuda_arch=90")

    def cmake_args(self):
        return [
            self.define_from_variant("WAN_CUDA", "cuda"),
            self.define_from_variant("WAN_TESTS", "tests"),
            # The build node and the compute nodes need not be alike; Spack's own target flags are used instead.
            self.define("WAN_NATIVE", False),
        ]
