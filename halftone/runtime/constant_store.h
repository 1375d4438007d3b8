// Packed constants by name, so that programs for other input shapes, and other sessions, pack weights once.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace halftone::runtime {

// A block of `bytes` zeroed bytes to fill, aligned to a cache line, with a cache line of slack behind it.
std::shared_ptr<std::byte> allocate_constant(size_t bytes);

// Thread safety: any number of threads.
class ConstantStore {
 public:
  // The constant of that name; the first time it is asked for, `bytes` tells its size and `fill` makes it.
  std::shared_ptr<const std::byte> find_or_add(const std::string& name, const std::function<size_t()>& bytes,
                                               const std::function<void(std::byte*)>& fill);

  struct Constant {
    std::shared_ptr<const std::byte> content;
    size_t bytes = 0;
  };
  // Adds one that exists already, aligned and with slack as those of allocate_constant.
  void add(const std::string& name, Constant constant);
  // All that there are.
  std::map<std::string, Constant> snapshot() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Constant> constants_;
};

}  // namespace halftone::runtime
