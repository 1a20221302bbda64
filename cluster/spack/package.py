# Not tested: no Spack was at hand. From a clone of the repository, with Spack's own packages:
#   spack repo create spack-repo && mkdir spack-repo/packages/sae-dist
#   cp cluster/spack/package.py spack-repo/packages/sae-dist/
#   spack repo add spack-repo
#   spack dev-build -d "$PWD" sae-dist@main
# Where Spack lacks kainjow-mustache, which is a header alone: put mustache.hpp into include/kainjow of
# a folder, and that folder into CMAKE_PREFIX_PATH.
from spack.package import CMakePackage, depends_on, generator, license, variant, version


class SaeDist(CMakePackage):
    """Trains autoencoders on a laptop, a server or a cluster, with the same command and result."""

    license("BSD-3-Clause")

    version("main")

    variant("onednn", default=True, description="Multiply matrices by oneDNN")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("ninja", type="build")
    depends_on("boost@1.74:+iostreams+program_options")
    depends_on("eigen@3.4")
    depends_on("fmt")
    depends_on("hdf5@1.10: ~mpi")
    depends_on("hwloc")
    depends_on("libpng")
    depends_on("nlohmann-json")
    depends_on("onednn", when="+onednn")
    depends_on("openmpi@4.1:4")
    depends_on("protobuf@3")
    depends_on("random123")
    depends_on("spdlog+fmt_external")
    depends_on("xxhash")

    generator("ninja")

    def cmake_args(self):
        return [
            self.define("SAE_BUILD_TESTS", False),
            # Spack sets the instructions of its target.
            self.define("SAE_NATIVE", False),
            self.define_from_variant("SAE_ONEDNN", "onednn"),
        ]
