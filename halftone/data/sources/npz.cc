#include <algorithm>
#include <utility>

#include "halftone/base/error.h"
#include "halftone/data/internal/archive.h"
#include "halftone/data/npy.h"
#include "halftone/data/sources/source.h"

namespace halftone::data {
namespace {

constexpr std::string_view kLabels = "labels";
constexpr std::string_view kMemberExtension = ".npy";

// One array of the file, read item by item: each has a reader of its own, so that the arrays advance side by side and
// none is ever in memory whole.
struct Member {
  std::string name;  // without ".npy"
  ArchiveReader reader;
  NpyHeader header;

  int64_t count() const { return header.shape[0]; }

  Tensor next_item(const std::string& where) {
    Shape shape = header.shape;
    shape[0] = 1;
    const size_t required = bytes_for(header.dtype, element_count(shape));
    auto content = std::make_shared<const std::string>(reader.read(required));
    if (content->size() < required) {
      fail(ErrorCode::InvalidData, where, "the array '{}' is cut short: {} bytes are required, found {}", name,
           required, content->size());
    }
    return Tensor::view(header.dtype, std::move(shape), std::as_bytes(std::span(*content)), content);
  }
};

// The members in the file's order, each opened at its first item.
std::vector<Member> open_members(const std::filesystem::path& path) {
  constexpr size_t kMostMembers = 256;
  std::vector<Member> members;
  for (size_t position = 0;; ++position) {
    ArchiveReader reader(path, ArchiveReader::Format::Zip);
    std::optional<std::string> name;
    for (size_t skipped = 0; skipped <= position; ++skipped) {
      name = reader.next();
      if (!name) return members;
    }
    if (position == kMostMembers) {
      fail(ErrorCode::InvalidData, path.string(), "at most {} arrays are required, found more", kMostMembers);
    }
    if (name->ends_with(kMemberExtension)) name->resize(name->size() - kMemberExtension.size());
    const std::string where = fmt::format("{}[{}]", path.string(), *name);
    std::string header = reader.read(12);
    header += reader.read(npy_header_bytes(std::as_bytes(std::span(header)), where) - header.size());
    Member member{std::move(*name), std::move(reader), parse_npy_header(std::as_bytes(std::span(header)), where)};
    if (member.header.shape.empty()) {
      fail(ErrorCode::InvalidData, where, "an array whose dimension 0 counts samples is required, found a scalar");
    }
    if (!member.header.is_row_major()) {
      fail(ErrorCode::Unsupported, where,
           "a row-major array is required, found Fortran order; save it after "
           "numpy.ascontiguousarray");
    }
    if (!members.empty() && member.count() != members[0].count()) {
      fail(ErrorCode::InvalidData, where, "as many items as in '{}' are required ({}), found {}", members[0].name,
           members[0].count(), member.count());
    }
    members.push_back(std::move(member));
  }
}

class NpzDataset : public Dataset {
 public:
  explicit NpzDataset(std::filesystem::path path) : path_(std::move(path)) { rewind(); }

  std::optional<int64_t> size() const override { return count_; }

  std::optional<Record> next() override {
    if (next_ == count_) return std::nullopt;
    auto sample = std::make_shared<Sample>();
    sample->id = fmt::format("{}[{}]", path_.filename().string(), next_++);
    size_t bytes = 0;
    for (Member& member : members_) {
      Tensor item = member.next_item(path_.string());
      bytes += item.bytes().size();
      if (member.name == kLabels) {
        sample->label = label_of(item, sample->id);
      } else {
        sample->tensors[member.name] = std::move(item);
      }
    }
    return Record{sample->id, [sample] { return *sample; }, bytes};
  }

  void rewind() override {
    members_ = open_members(path_);
    next_ = 0;
    count_ = members_.empty() ? 0 : members_[0].count();
  }

 private:
  static int64_t label_of(const Tensor& item, const std::string& where) {
    const bool is_label = is_integer(item.dtype()) && item.size() == 1;
    const int64_t label = is_label ? to_vector<int64_t>(item)[0] : -1;
    if (label < 0) {
      fail(ErrorCode::InvalidData, where, "an integer >= 0 is required in 'labels', found {}",
           is_label ? fmt::format("{}", label)
                    : fmt::format("{} of shape {}", name_of(item.dtype()), to_string(item.shape())));
    }
    return label;
  }

  std::filesystem::path path_;
  std::vector<Member> members_;
  int64_t next_ = 0, count_ = 0;
};

}  // namespace

Source open_npz(const Location& location, const DatasetOptions&) {
  if (!location.is_file || (!location.head.starts_with("PK\x03\x04") && !location.has_extension(".npz"))) return {};
  return std::make_unique<NpzDataset>(location.path);
}

}  // namespace halftone::data
