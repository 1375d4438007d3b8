#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "halftone/base/cpu.h"

namespace halftone::cli {

Action setup_version(CLI::App& app) {
  app.footer("Examples:\n  halftone version\n  HALFTONE_ISA=avx2 halftone version");
  return [](Console& console) {
    const std::string isa(name_of(isa_level()));
    console.print(fmt::format("halftone {}\ncpu: {}, {} cores, instruction set {}\n", HALFTONE_VERSION, cpu_model(),
                              available_cores(), isa));
    console.write_json(
        {{"version", HALFTONE_VERSION}, {"cpu", cpu_model()}, {"cores", available_cores()}, {"isa", isa}});
  };
}

}  // namespace halftone::cli
