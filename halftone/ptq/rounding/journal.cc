#include "halftone/ptq/rounding/journal.h"

#include <cstring>
#include <optional>

#include "halftone/base/error.h"
#include "halftone/base/file.h"

namespace halftone::ptq {
namespace {

constexpr std::string_view kMagic = "halftone rounding 1\n";

void put(std::string& to, uint64_t number) {
  for (int i = 0; i < 64; i += 8) to += static_cast<char>(number >> i & 255);
}

template <typename T>
void put_all(std::string& to, const std::vector<T>& numbers) {
  put(to, numbers.size());
  if (!numbers.empty()) to.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T));
}

// Takes what `put` wrote off the front; nullopt where there is less.
class Reader {
 public:
  explicit Reader(std::string_view rest) : rest_(rest) {}
  bool at_end() const { return rest_.empty(); }
  std::optional<std::string_view> take(uint64_t bytes) {
    if (bytes > rest_.size()) return std::nullopt;
    const std::string_view front = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return front;
  }
  std::optional<uint64_t> number() {
    const auto bytes = take(8);
    if (!bytes) return std::nullopt;
    uint64_t number = 0;
    for (size_t i = 8; i-- > 0;) number = number << 8 | static_cast<unsigned char>((*bytes)[i]);
    return number;
  }
  template <typename T>
  bool numbers(std::vector<T>& to) {
    const auto count = number();
    if (!count || *count > rest_.size() / sizeof(T)) return false;
    to.resize(*count);
    const auto bytes = take(*count * sizeof(T));
    if (!to.empty()) std::memcpy(to.data(), bytes->data(), bytes->size());
    return true;
  }

 private:
  std::string_view rest_;
};

uint64_t fingerprint_of(std::string_view text) {
  Fingerprint fingerprint;
  fingerprint.add(text);
  return fingerprint.value();
}

std::string serialize(uint64_t run, const std::map<std::string, Journal::Entry, std::less<>>& entries) {
  std::string body;
  put(body, run);
  for (const auto& [name, entry] : entries) {
    put(body, name.size());
    body += name;
    put_all(body, entry.weights);
    put_all(body, entry.scale);
    put_all(body, entry.bias);
  }
  std::string file(kMagic);
  put(file, fingerprint_of(body));
  return file + body;
}

// What is wrong with the file; empty: nothing, and `entries` are filled in.
std::string parse(std::string_view file, uint64_t run, std::map<std::string, Journal::Entry, std::less<>>& entries) {
  if (!file.starts_with(kMagic)) return "it is no journal of this version";
  Reader head(file.substr(kMagic.size()));
  const auto sum = head.number();
  const std::string_view body = file.substr(std::min(file.size(), kMagic.size() + 8));
  if (!sum || *sum != fingerprint_of(body)) return "it is damaged";
  Reader reader(body);
  if (reader.number() != run) return "it belongs to another model, recipe or data set";
  while (!reader.at_end()) {
    const auto length = reader.number();
    const auto name = length ? reader.take(*length) : std::nullopt;
    Journal::Entry entry;
    if (!name || !reader.numbers(entry.weights) || !reader.numbers(entry.scale) || !reader.numbers(entry.bias)) {
      return "it is damaged";
    }
    entries.emplace(*name, std::move(entry));
  }
  return "";
}

}  // namespace

void Fingerprint::add_word(uint64_t word) { value_ = (value_ ^ word) * 0x100000001b3; }

void Fingerprint::add(std::span<const std::byte> bytes) {
  add_word(bytes.size());
  while (!bytes.empty()) {
    uint64_t word = 0;
    const size_t count = std::min<size_t>(bytes.size(), 8);
    std::memcpy(&word, bytes.data(), count);
    add_word(word);
    // Multiplication carries upwards only.
    value_ ^= value_ >> 32;
    bytes = bytes.subspan(count);
  }
}

Journal::Journal(std::filesystem::path path, uint64_t run, ProgressSink& progress)
    : path_(std::move(path)), run_(run), progress_(progress) {
  if (path_.empty() || !std::filesystem::exists(path_)) return;
  const std::string wrong = parse(read_file(path_), run, entries_);
  if (!wrong.empty()) {
    entries_.clear();
    progress.note(fmt::format("{} is not used: {}", path_.string(), wrong));
  } else if (!entries_.empty()) {
    progress.note(fmt::format("{} layers are taken from {}", entries_.size(), path_.string()));
  }
}

const Journal::Entry* Journal::find(std::string_view layer) const {
  const auto found = entries_.find(layer);
  return found == entries_.end() ? nullptr : &found->second;
}

void Journal::add(const std::string& layer, Entry entry) {
  if (path_.empty()) return;
  entries_.insert_or_assign(layer, std::move(entry));
  try {
    write_file(path_, serialize(run_, entries_));
  } catch (const Error& e) {
    progress_.note(fmt::format("{}; were the run interrupted, it would begin anew", e.what()));
    path_.clear();
  }
}

}  // namespace halftone::ptq
