#include "tests/hostile/damage.h"

#include <algorithm>
#include <limits>

namespace halftone::test {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Reads a varint at `at` and moves behind it; false at the end of the bytes.
bool read_varint(const std::string& bytes, size_t& at, size_t end, uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64 && at < end; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes[at++]);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// Walks bytes[at, end) as a message; false when it is none. Strings that happen to look like messages are walked too.
bool walk(const std::string& bytes, size_t at, size_t end, int depth, std::vector<size_t>& lengths) {
  while (at < end) {
    uint64_t tag = 0;
    if (!read_varint(bytes, at, end, tag) || tag >> 3 == 0) return false;
    uint64_t value = 0;
    switch (tag & 7) {
      case 0:
        if (!read_varint(bytes, at, end, value)) return false;
        break;
      case 1:
        at += 8;
        break;
      case 5:
        at += 4;
        break;
      case 2: {
        lengths.push_back(at);
        if (!read_varint(bytes, at, end, value) || value > end - at) return false;
        std::vector<size_t> inner;
        if (depth < 12 && walk(bytes, at, at + value, depth + 1, inner)) {
          lengths.insert(lengths.end(), inner.begin(), inner.end());
        }
        at += value;
        break;
      }
      default:
        return false;
    }
  }
  return at == end;
}

std::string random_varint(Rng& rng) {
  // Small, near a byte or 31-bit boundary, huge, or never ending.
  const uint64_t candidates[] = {rng.below(16), 127, 128, rng.below(100000), 0x7fffffff, 0x80000000, rng.next()};
  if (rng.below(8) == 0) return std::string(11, '\xff');
  std::string bytes;
  for (uint64_t value = candidates[rng.below(std::size(candidates))];; value >>= 7) {
    if (value < 0x80) {
      bytes.push_back(static_cast<char>(value));
      return bytes;
    }
    bytes.push_back(static_cast<char>((value & 0x7F) | 0x80));
  }
}

int64_t extreme_number(Rng& rng) {
  const int64_t candidates[] = {0,
                                -1,
                                1,
                                2,
                                -2,
                                1 << 20,
                                std::numeric_limits<int32_t>::max(),
                                std::numeric_limits<int32_t>::min(),
                                int64_t{1} << 32,
                                int64_t{1} << 61,
                                std::numeric_limits<int64_t>::max(),
                                std::numeric_limits<int64_t>::min(),
                                static_cast<int64_t>(rng.below(32)),
                                static_cast<int64_t>(rng.next())};
  return candidates[rng.below(std::size(candidates))];
}

// Strings of the whole message, from which a replaced one is drawn: a damaged name should be another's.
void collect_strings(const Message& message, std::vector<std::string>& strings) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        collect_strings(field->is_repeated() ? reflection.GetRepeatedMessage(message, field, i)
                                             : reflection.GetMessage(message, field),
                        strings);
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
        strings.push_back(field->is_repeated() ? reflection.GetRepeatedString(message, field, i)
                                               : reflection.GetString(message, field));
      }
    }
  }
}

void damage_number(Message& message, const FieldDescriptor* field, int index, Rng& rng) {
  const Reflection& reflection = *message.GetReflection();
  const int64_t number = extreme_number(rng);
  const bool repeated = field->is_repeated();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      repeated ? reflection.SetRepeatedInt32(&message, field, index, static_cast<int32_t>(number))
               : reflection.SetInt32(&message, field, static_cast<int32_t>(number));
      break;
    case FieldDescriptor::CPPTYPE_INT64:
      repeated ? reflection.SetRepeatedInt64(&message, field, index, number)
               : reflection.SetInt64(&message, field, number);
      break;
    case FieldDescriptor::CPPTYPE_UINT64:
      repeated ? reflection.SetRepeatedUInt64(&message, field, index, static_cast<uint64_t>(number))
               : reflection.SetUInt64(&message, field, static_cast<uint64_t>(number));
      break;
    case FieldDescriptor::CPPTYPE_FLOAT: {
      const float odd[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -1e38F, 0};
      const float value = odd[rng.below(4)];
      repeated ? reflection.SetRepeatedFloat(&message, field, index, value)
               : reflection.SetFloat(&message, field, value);
      break;
    }
    case FieldDescriptor::CPPTYPE_ENUM:
      if (!repeated) reflection.SetEnumValue(&message, field, static_cast<int>(rng.below(20)));
      break;
    default:
      break;
  }
}

void damage_field(Message& message, const FieldDescriptor* field, const std::vector<std::string>& strings, Rng& rng) {
  const Reflection& reflection = *message.GetReflection();
  const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
  const int index = static_cast<int>(rng.below(static_cast<uint64_t>(count)));
  if (rng.below(8) == 0) {
    reflection.ClearField(&message, field);
  } else if (field->is_repeated() && rng.below(3) == 0) {
    switch (rng.below(3)) {
      case 0:
        reflection.RemoveLast(&message, field);
        break;
      case 1:
        reflection.SwapElements(&message, field, index, static_cast<int>(rng.below(static_cast<uint64_t>(count))));
        break;
      default:
        if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
          reflection.AddMessage(&message, field)->CopyFrom(reflection.GetRepeatedMessage(message, field, index));
        }
    }
  } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    std::string text = strings[rng.below(strings.size())];
    if (rng.below(10) == 0) text.resize(rng.below(text.size() + 2));
    field->is_repeated() ? reflection.SetRepeatedString(&message, field, index, text)
                         : reflection.SetString(&message, field, text);
  } else {
    damage_number(message, field, index, rng);
  }
}

}  // namespace

std::vector<size_t> length_positions(const std::string& bytes) {
  std::vector<size_t> lengths;
  walk(bytes, 0, bytes.size(), 0, lengths);
  return lengths;
}

std::string damage_bytes(const std::string& bytes, const std::string& other, Rng& rng) {
  std::string damaged = bytes;
  const auto place = [&] { return static_cast<size_t>(rng.below(damaged.size())); };
  switch (rng.below(6)) {
    case 0:
      for (uint64_t i = rng.below(8); i < 8; ++i) damaged[place()] ^= static_cast<char>(1 << rng.below(8));
      break;
    case 1:
      damaged.resize(place());
      break;
    case 2: {
      const size_t at = place();
      damaged.replace(at, rng.below(16), std::string(rng.below(16), "\0\xff\x80\x01\x7f"[rng.below(5)]));
      break;
    }
    case 3: {
      const size_t from = static_cast<size_t>(rng.below(other.size()));
      damaged.replace(place(), rng.below(64), other.substr(from, rng.below(256)));
      break;
    }
    case 4: {
      const size_t from = place();
      damaged.insert(place(), damaged.substr(from, rng.below(128)));
      break;
    }
    default: {
      const std::vector<size_t> lengths = length_positions(bytes);
      const size_t at = lengths[rng.below(lengths.size())];
      size_t end = at;
      uint64_t ignored = 0;
      read_varint(bytes, end, bytes.size(), ignored);
      damaged.replace(at, end - at, random_varint(rng));
    }
  }
  return damaged;
}

void damage_message(Message& message, Rng& rng) {
  std::vector<std::string> strings{"", "x", "../weights", "ai.onnx"};
  collect_strings(message, strings);
  // Down a random path; the deeper, the likelier is it to stop.
  Message* at = &message;
  for (;;) {
    const Reflection& reflection = *at->GetReflection();
    std::vector<const FieldDescriptor*> fields;
    reflection.ListFields(*at, &fields);
    if (fields.empty()) return;
    const FieldDescriptor* field = fields[rng.below(fields.size())];
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || rng.below(12) == 0) {
      damage_field(*at, field, strings, rng);
      return;
    }
    at = field->is_repeated()
             ? reflection.MutableRepeatedMessage(
                   at, field, static_cast<int>(rng.below(static_cast<uint64_t>(reflection.FieldSize(*at, field)))))
             : reflection.MutableMessage(at, field);
  }
}

}  // namespace halftone::test
