// Bytes of files of our own (compiled programs, checkpoints), written and read by one description of every type:
// fields(archive, x) visits x's members in order, whichever way they go.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "halftone/base/error.h"
#include "halftone/graph/graph.h"
#include "halftone/tensor/tensor.h"

namespace halftone::runtime {

// Blocks of bytes begin at multiples of this, so that they can be used where they are mapped.
inline constexpr size_t kBlockAlignment = 64;

static_assert(std::endian::native == std::endian::little, "numbers are stored as they lie in memory");

// Every bit of the bytes changes it: multiplication by an odd number and rotation are one to one. Eight bytes at a
// time, as the file has megabytes and loading takes milliseconds.
inline uint64_t checksum_of(std::span<const std::byte> bytes) {
  uint64_t sum = 0x9E3779B97F4A7C15u ^ bytes.size();
  while (!bytes.empty()) {
    uint64_t word = 0;
    const size_t count = std::min(sizeof(word), bytes.size());
    std::memcpy(&word, bytes.data(), count);
    sum = std::rotl((sum ^ word) * 0xD6E8FEB86659FD93u, 29);
    bytes = bytes.subspan(count);
  }
  return sum;
}

template <typename T>
concept Scalar = std::is_arithmetic_v<T> || std::is_enum_v<T>;

// Appends to a buffer.
class Writer {
 public:
  static constexpr bool kReads = false;
  // Values are known by name outside of a graph.
  const Graph* graph = nullptr;

  const std::string& bytes() const { return bytes_; }

  template <typename... T>
  void operator()(const T&... values) {
    (write(values), ...);
  }
  void block(std::span<const std::byte> content) {
    write(content.size());
    // Blocks keep readable bytes behind them, as kernels need.
    bytes_.resize((bytes_.size() + kBlockAlignment - 1) / kBlockAlignment * kBlockAlignment);
    bytes_.append(reinterpret_cast<const char*>(content.data()), content.size());
    bytes_.append(kBlockAlignment, '\0');
  }

 private:
  template <Scalar T>
  void write(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  void write(const std::string& text) {
    write(text.size());
    bytes_ += text;
  }
  void write(ValueId id) { write(id == ValueId::None ? std::string() : graph->value(id).name); }
  void write(const Tensor& tensor) {
    write(tensor.dtype());
    write(tensor.shape());
    block(tensor.bytes());
  }
  template <typename T>
  void write(const std::vector<T>& list) {
    write(list.size());
    for (const T& item : list) write(item);
  }
  template <typename T>
  void write(const std::optional<T>& item) {
    write(item.has_value());
    if (item) write(*item);
  }
  template <typename K, typename V, typename C>
  void write(const std::map<K, V, C>& entries) {
    write(entries.size());
    for (const auto& [key, value] : entries) {
      write(key);
      write(value);
    }
  }
  void write(const std::set<std::string, std::less<>>& names) {
    write(names.size());
    for (const std::string& name : names) write(name);
  }
  template <typename T>
  requires std::is_class_v<T>
  void write(const T& value) {
    // Shared with the reader, which changes what it visits.
    fields(*this, const_cast<T&>(value));
  }

  std::string bytes_;
};

// How a damaged file is spoken of.
struct Damage {
  const char *what, *advice;
};

// Reads what a Writer wrote. Blocks and tensors stay where they are. Errors: Error{InvalidModel} at `where` when there
// is too little.
class Reader {
 public:
  static constexpr bool kReads = true;
  const Graph* graph = nullptr;

  Reader(std::span<const std::byte> bytes, std::shared_ptr<const void> keep_alive, std::string where, Damage damage)
      : bytes_(bytes), keep_alive_(std::move(keep_alive)), where_(std::move(where)), damage_(damage) {}

  template <typename... T>
  void operator()(T&... values) {
    (read(values), ...);
  }
  std::span<const std::byte> block() {
    size_t size = 0;
    read(size);
    at_ = (at_ + kBlockAlignment - 1) / kBlockAlignment * kBlockAlignment;
    const std::span<const std::byte> content = take(size);
    take(kBlockAlignment);
    return content;
  }
  bool at_end() const { return at_ == bytes_.size(); }
  const std::shared_ptr<const void>& keep_alive() const { return keep_alive_; }
  [[noreturn]] void refuse(std::string_view what) const {
    fail(ErrorCode::InvalidModel, where_, "{} is damaged ({}); {}", damage_.what, what, damage_.advice);
  }

 private:
  std::span<const std::byte> take(size_t size) {
    if (at_ > bytes_.size() || size > bytes_.size() - at_) refuse("it ends too early");
    at_ += size;
    return bytes_.subspan(at_ - size, size);
  }
  template <Scalar T>
  void read(T& value) {
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
  }
  void read(std::string& text) {
    size_t size = 0;
    read(size);
    const std::span<const std::byte> content = take(size);
    text.assign(reinterpret_cast<const char*>(content.data()), content.size());
  }
  void read(ValueId& id) {
    std::string name;
    read(name);
    id = name.empty() ? ValueId::None : graph->find(name);
    if (!name.empty() && id == ValueId::None) refuse("it names values that it doesn't have");
  }
  void read(Tensor& tensor) {
    DType dtype{};
    Shape shape;
    read(dtype);
    read(shape);
    const std::span<const std::byte> content = block();
    if (dtype != DType::Undefined) tensor = Tensor::view(dtype, std::move(shape), content, keep_alive_);
  }
  template <typename T>
  void read(std::vector<T>& list) {
    size_t size = 0;
    read(size);
    // Every element takes a byte at least.
    if (size > bytes_.size()) refuse("a list is too long");
    list.resize(size);
    for (T& item : list) read(item);
  }
  template <typename T>
  void read(std::optional<T>& item) {
    bool present = false;
    read(present);
    if (present) read(item.emplace());
  }
  template <typename K, typename V, typename C>
  void read(std::map<K, V, C>& entries) {
    size_t size = 0;
    read(size);
    for (size_t i = 0; i < size; ++i) {
      K key{};
      read(key);
      read(entries[key]);
    }
  }
  void read(std::set<std::string, std::less<>>& names) {
    std::vector<std::string> list;
    read(list);
    names.insert(list.begin(), list.end());
  }
  template <typename T>
  requires std::is_class_v<T>
  void read(T& value) { fields(*this, value); }

  std::span<const std::byte> bytes_;
  std::shared_ptr<const void> keep_alive_;
  std::string where_;
  Damage damage_;
  size_t at_ = 0;
};

}  // namespace halftone::runtime
