#include "halftone/runtime/constant_store.h"

#include <cstring>
#include <new>

#include "halftone/base/error.h"

namespace halftone::runtime {

std::shared_ptr<std::byte> allocate_constant(size_t bytes) {
  constexpr std::align_val_t kAlignment{64};
  auto* memory = static_cast<std::byte*>(::operator new(bytes + 64, kAlignment));
  std::memset(memory, 0, bytes + 64);
  return {memory, [](std::byte* p) { ::operator delete (p, std::align_val_t{64}); }};
}

std::shared_ptr<const std::byte> ConstantStore::find_or_add(const std::string& name,
                                                            const std::function<size_t()>& bytes,
                                                            const std::function<void(std::byte*)>& fill) {
  const std::lock_guard lock(mutex_);
  const auto [found, is_new] = constants_.try_emplace(name);
  if (is_new) {
    try {
      const size_t size = bytes();
      const std::shared_ptr<std::byte> content = allocate_constant(size);
      fill(content.get());
      found->second = {content, size};
    } catch (...) {
      constants_.erase(found);
      throw;
    }
  }
  return found->second.content;
}

void ConstantStore::add(const std::string& name, Constant constant) {
  const std::lock_guard lock(mutex_);
  constants_.insert_or_assign(name, std::move(constant));
}

std::map<std::string, ConstantStore::Constant> ConstantStore::snapshot() const {
  const std::lock_guard lock(mutex_);
  return constants_;
}

}  // namespace halftone::runtime
