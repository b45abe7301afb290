// The writer. All of our element types are 4 bytes in memory; bool shrinks to the format's one byte on its way out.
#include "runtime/Safetensors.h"

#include "runtime/Abi.h"
#include "runtime/DurableFile.h"
#include "runtime/RunError.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>

namespace heddle {

void SafetensorsWriter::add(Tensor tensor, uint64_t width) {
  for (const Tensor& t : tensors)
    if (t.name == tensor.name) throw RunError(kInternal, fmt::format("two tensors are called '{}'", tensor.name));
  tensor.bytes = width;
  for (int64_t size : tensor.shape) tensor.bytes *= uint64_t(size);
  tensors.push_back(std::move(tensor));
}

void SafetensorsWriter::add(const std::string& name, int32_t type, std::vector<int64_t> shape, const void* data) {
  const char* dtype = type == HEDDLE_F32 ? "F32" : type == HEDDLE_I32 ? "I32" : "BOOL";
  add({name, dtype, std::move(shape), 0, data, nullptr}, type == HEDDLE_BOOL ? 1 : 4);
}

void SafetensorsWriter::add(const std::string& name, const std::string& dtype, std::vector<int64_t> shape,
                            std::function<void(std::vector<char>&)> make) {
  add({name, dtype, std::move(shape), 0, nullptr, std::move(make)}, safetensorsWidth(dtype));
}

std::string SafetensorsWriter::header() const {
  nlohmann::ordered_json root = nlohmann::ordered_json::object();
  if (!metadata.empty()) root["__metadata__"] = metadata;
  uint64_t at = 0;
  for (const Tensor& t : tensors) {
    root[t.name] = {{"dtype", t.dtype}, {"shape", t.shape}, {"data_offsets", {at, at + t.bytes}}};
    at += t.bytes;
  }
  std::string text = root.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

void SafetensorsWriter::write(const std::string& path, const std::string& text) const {
  DurableFile file(path);
  unsigned char length[8];
  for (int i = 0; i < 8; ++i) length[i] = uint8_t(uint64_t(text.size()) >> (8 * i));
  file.write(length, 8);
  file.write(text.data(), text.size());
  for (const Tensor& t : tensors) {
    if (t.make) {
      std::vector<char> bytes(t.bytes);
      t.make(bytes);
      file.write(bytes.data(), t.bytes);
      continue;
    }
    if (t.dtype != "BOOL") {
      file.write(t.data, t.bytes);
      continue;
    }
    auto* words = static_cast<const int32_t*>(t.data);
    std::vector<uint8_t> bytes(std::min<uint64_t>(t.bytes, 1 << 16));
    for (uint64_t done = 0; done < t.bytes; done += bytes.size()) {
      uint64_t n = std::min<uint64_t>(bytes.size(), t.bytes - done);
      for (uint64_t i = 0; i < n; ++i) bytes[i] = words[done + i] != 0;
      file.write(bytes.data(), n);
    }
  }
  file.commit();
}

}  // namespace heddle
