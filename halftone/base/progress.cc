#include "halftone/base/progress.h"

namespace halftone {
namespace {

class Silent final : public ProgressSink {
 public:
  void begin(std::string_view, int64_t, std::string_view) override {}
  void advance(int64_t) override {}
  void end() override {}
  void note(std::string_view) override {}
};

}  // namespace

ProgressSink& silent_progress() {
  static Silent sink;
  return sink;
}

}  // namespace halftone
