#include "halftone/train/checkpoint.h"

#include "halftone/runtime/sealed_file.h"

namespace halftone::train {
namespace {

constexpr runtime::FileKind kCheckpoint = {
    {'H', 'T', 'T', 'R', 'A', 'I', 'N', '1'},
    {"the checkpoint", "remove it and train from the beginning, or put back an older one"}};

// Messages show so much of what differs.
constexpr size_t kShown = 100;

template <typename A, typename C>
void visit(A& archive, C& checkpoint) {
  archive(checkpoint.of, checkpoint.numbers, checkpoint.tensors);
}

}  // namespace

void save(const Checkpoint& checkpoint, const std::filesystem::path& path) {
  runtime::Writer writer;
  visit(writer, checkpoint);
  write_sealed(kCheckpoint, writer, path);
}

Checkpoint load_checkpoint(const std::filesystem::path& path) {
  runtime::Reader reader = open_sealed(kCheckpoint, path);
  Checkpoint checkpoint;
  visit(reader, checkpoint);
  if (!reader.at_end()) reader.refuse("it is too long");
  return checkpoint;
}

void require_same(const std::map<std::string, std::string>& then, const std::map<std::string, std::string>& now,
                  const std::filesystem::path& path) {
  for (const auto& [what, value] : now) {
    const auto found = then.find(what);
    if (found != then.end() && found->second == value) continue;
    fail(ErrorCode::InvalidArgument, path.string(),
         "the checkpoint is of another {}: {}, now {}; train without --resume, or as it was begun", what,
         found == then.end() ? "none" : found->second.substr(0, kShown), value.substr(0, kShown));
  }
}

}  // namespace halftone::train
