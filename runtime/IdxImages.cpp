// Images of a pair of IDX files, the format of MNIST (LeCun, Cortes, Burges, "The MNIST database"): a big-endian magic
// number 0 0 TYPE RANK, the sizes, then the bytes. Images are [n, Y, X], with one channel, or [n, CH, Y, X]; labels are [n];
// both of unsigned bytes. Images are read when they are due, so a set may be larger than memory; labels stay in an arena.
#include "runtime/Arena.h"
#include "runtime/FileHash.h"
#include "runtime/ImageSet.h"
#include "runtime/InputFile.h"
#include "runtime/RunError.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

namespace heddle {
namespace {

// An IDX file of bytes.
struct IdxFile {
  explicit IdxFile(const std::string& path) : file(path) {
    uint8_t head[4] = {};
    file.read(0, head, std::min<uint64_t>(4, file.size()));
    auto refuse = [&](uint64_t byte, const std::string& what, const std::string& help = "") {
      throw RunError(kData, fmt::format("{}: byte {}: {}", path, byte, what), help);
    };
    if (file.size() >= 2 && head[0] == 0x1F && head[1] == 0x8B) refuse(0, "the file is compressed", "unpack it: `gunzip FILE`");
    if (file.size() < 4 || head[0] || head[1])
      refuse(0, fmt::format("{:#04x} {:#04x} is not the start of an IDX file, which is 0 0 TYPE RANK", head[0], head[1]));
    if (head[2] != 8) refuse(2, fmt::format("elements of type {:#04x}, but images and labels are unsigned bytes, 0x08", head[2]));
    if (head[3] < 1 || head[3] > 4) refuse(3, fmt::format("{} dims, but images have 3 or 4, and labels have 1", head[3]));
    start = 4 + 4 * uint64_t(head[3]);
    if (file.size() < start) refuse(4, fmt::format("the file ends within its {} sizes", head[3]));
    uint64_t bytes = 1;
    for (uint64_t at = 4; at < start; at += 4) {
      uint8_t word[4];
      file.read(at, word, 4);
      shape.push_back(int64_t(word[0]) << 24 | word[1] << 16 | word[2] << 8 | word[3]);
      if (shape.back() == 0) refuse(at, "a size of 0");
      if (__builtin_mul_overflow(bytes, uint64_t(shape.back()), &bytes)) refuse(at, "the sizes overflow");
    }
    if (bytes != file.size() - start)
      refuse(start, fmt::format("[{}] elements are {} bytes, but {} follow", fmt::join(shape, ", "), bytes, file.size() - start),
             "was the file copied whole?");
  }

  InputFile file;
  std::vector<int64_t> shape;
  uint64_t start = 0;
};

class IdxImages : public ImageSet {
public:
  IdxImages(const std::string& imagePath, const std::string& labelPath) : images(imagePath) {
    path = imagePath;
    labelled = !labelPath.empty();
    if (labelled) labels.emplace(labelPath);
    if (images.shape.size() < 3)
      throw RunError(kData, fmt::format("{}: byte 3: {} dims, but images are [n, Y, X] or [n, CH, Y, X]", imagePath, images.shape.size()),
                     labelled && labels->shape.size() >= 3 ? "the images come first, then the labels" : "");
    count = images.shape[0];
    channels = images.shape.size() == 4 ? images.shape[1] : 1;
    height = images.shape[images.shape.size() - 2], width = images.shape.back();
    if (!labelled) return;
    countClasses(labelPath);
    bytes = Arena::reserved(count);
  }

  void load() override {
    if (!labelled) return;
    kept = Arena(count, "labels");
    labels->file.read(labels->start, kept.data(), uint64_t(count));
  }
  void read(int64_t image, uint8_t* pixels) const override {
    uint64_t size = uint64_t(channels * height * width);
    images.file.read(images.start + uint64_t(image) * size, pixels, size);
  }
  int32_t label(int64_t image) const override { return uint8_t(kept.data()[image]); }
  std::string placeOfLabel(int64_t image) const override {
    return fmt::format("{}: byte {}", labels->file.path(), labels->start + uint64_t(image));
  }

  // All labels, and 256 pieces of 4 KiB of the images, spread evenly from the first byte to the last.
  uint64_t hash() const override {
    constexpr uint64_t kPieces = 256, kBytes = 4096;
    FileHash state;
    if (labelled) state.add({kept.data(), size_t(count)});
    uint64_t start = images.start, size = images.file.size() - start;
    uint64_t pieces = std::min(kPieces, (size + kBytes - 1) / kBytes), n = std::min(size, kBytes);
    std::vector<char> piece(n);
    for (uint64_t i = 0; i < pieces; ++i) {
      __extension__ typedef unsigned __int128 Wide;
      images.file.read(start + (pieces == 1 ? 0 : uint64_t(Wide(size - n) * i / (pieces - 1))), piece.data(), n);
      state.add({piece.data(), n});
    }
    return state.digest();
  }

private:
  void countClasses(const std::string& labelPath) {
    if (labels->shape.size() != 1)
      throw RunError(kData, fmt::format("{}: byte 3: {} dims, but labels have 1", labelPath, labels->shape.size()));
    if (images.shape[0] != labels->shape[0])
      throw RunError(kData, fmt::format("{} has {} images, but {} has {} labels", path, images.shape[0], labelPath, labels->shape[0]));
    int64_t most = 0;
    std::vector<uint8_t> piece(size_t(1) << 16);
    for (int64_t at = 0; at < count; at += int64_t(piece.size())) {
      int64_t n = std::min<int64_t>(count - at, int64_t(piece.size()));
      labels->file.read(labels->start + uint64_t(at), piece.data(), uint64_t(n));
      most = std::max<int64_t>(most, 1 + *std::max_element(piece.begin(), piece.begin() + n));
    }
    for (int64_t i = 0; i < most; ++i) classes.push_back(std::to_string(i));
  }

  IdxFile images;
  std::optional<IdxFile> labels;
  Arena kept;
};

}  // namespace

std::unique_ptr<ImageSet> openIdxImages(const std::string& imagePath, const std::string& labelPath) {
  return std::make_unique<IdxImages>(imagePath, labelPath);
}

}  // namespace heddle
