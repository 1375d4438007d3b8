#include "halftone/base/process.h"

#include <sys/resource.h>

#include <fstream>
#include <string>

namespace halftone {

double peak_rss_mib() {
  // getrusage would count what the process that started us held at that moment.
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib / 1024;
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace halftone
