// Of the program without libtorch: hands its command line to the one that has it.

#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "cli/training_options.h"
#include "halftone/base/error.h"

namespace halftone::cli {

void run_training(const TrainingOptions& /*options*/, Console& /*console*/) {
  const std::filesystem::path here = std::filesystem::read_symlink("/proc/self/exe");
  const std::filesystem::path program = here.parent_path() / "halftone-train";
  // Threads that wait for one another by spinning starve when a neighbour takes a core, and gain nothing otherwise.
  ::setenv("OMP_WAIT_POLICY", "passive", /*overwrite=*/0);
  // Each word ends with a zero. The file has no size that could be asked for.
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string words{std::istreambuf_iterator<char>(file), {}};
  std::vector<char*> arguments;
  for (size_t at = 0; at < words.size(); at += std::strlen(&words[at]) + 1) arguments.push_back(&words[at]);
  arguments.push_back(nullptr);
  ::execv(program.c_str(), arguments.data());
  fail(ErrorCode::Unsupported, program.string(),
       "training is a program of its own, which can't be started ({}); where Halftone was built without libtorch "
       "(Debian: libtorch-dev) there is none",
       std::strerror(errno));
}

}  // namespace halftone::cli
