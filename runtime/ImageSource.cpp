// Images with a label each, from a pair of IDX files: the format of MNIST (LeCun, Cortes, Burges, "The MNIST database"),
// a big-endian magic number 0 0 TYPE RANK, the sizes, then the bytes. Images are [n, Y, X], with one channel, or
// [n, CH, Y, X]; labels are [n]; both of unsigned bytes.
//
// A pixel v of 0 to 255 becomes (v / 255 - mean) / std. Images are read when they are due, as a row of the batch, so a
// set may be larger than memory; labels stay in an arena.
#include "runtime/Arena.h"
#include "runtime/FileHash.h"
#include "runtime/InputFile.h"
#include "runtime/RecordSource.h"
#include "runtime/RunError.h"
#include "runtime/Unlabelled.h"

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

// The two files, checked against each other; without a path of labels, images that have none (Unlabelled.h).
struct ImageFiles {
  ImageFiles(const std::string& imagePath, const std::string& labelPath) : images(imagePath) {
    if (!labelPath.empty()) labels.emplace(labelPath);
    if (images.shape.size() < 3)
      throw RunError(kData, fmt::format("{}: byte 3: {} dims, but images are [n, Y, X] or [n, CH, Y, X]", imagePath, images.shape.size()),
                     labels && labels->shape.size() >= 3 ? "the images come first, then the labels" : "");
    if (labels) countClasses(labelPath);
  }
  int64_t count() const { return images.shape[0]; }
  int64_t channels() const { return images.shape.size() == 4 ? images.shape[1] : 1; }
  int64_t height() const { return images.shape[images.shape.size() - 2]; }
  int64_t width() const { return images.shape.back(); }

  DataDescription describe(const RunConfig& config) const {
    DataDescription result;
    result.facts = {{"classes", classes}, {"img.CH", channels()}, {"img.Y", height()}, {"img.X", width()}};
    result.bytes = (labels ? Arena::reserved(count()) : 0) + Arena::reserved(channels() * height() * width());
    RecordSource::describeSplit(count(), config.data.split, result);
    return result;
  }

  IdxFile images;
  std::optional<IdxFile> labels;
  int64_t classes = 0;

private:
  void countClasses(const std::string& path) {
    if (labels->shape.size() != 1)
      throw RunError(kData, fmt::format("{}: byte 3: {} dims, but labels have 1", path, labels->shape.size()));
    if (images.shape[0] != labels->shape[0])
      throw RunError(kData, fmt::format("{} has {} images, but {} has {} labels", images.file.path(), images.shape[0], path, labels->shape[0]));
    std::vector<uint8_t> piece(size_t(1) << 16);
    for (int64_t at = 0; at < count(); at += int64_t(piece.size())) {
      int64_t n = std::min<int64_t>(count() - at, int64_t(piece.size()));
      labels->file.read(labels->start + uint64_t(at), piece.data(), uint64_t(n));
      classes = std::max<int64_t>(classes, 1 + *std::max_element(piece.begin(), piece.begin() + n));
    }
  }
};

class ImageSource : public RecordSource {
public:
  ImageSource(const RunConfig& config, const std::string& imagePath, const std::string& labelPath)
      : RecordSource(config, imagePath, "images"), files(imagePath, labelPath) {
    DataDescription description = files.describe(config);
    checkBinds(config, description.facts, path);
    if (auto range = config.ranges.find("data.label"); files.labels && range != config.ranges.end()) checkLabels(range->second);
    int64_t channels = files.channels();
    for (auto& [name, values] : {std::pair{"mean", &config.data.mean}, {"std", &config.data.std}})
      if (values->size() != 1 && int64_t(values->size()) != channels)
        throw RunError(kData, fmt::format("{}: has {} channels, but `{}` has {} numbers", path, channels, name, values->size()));
    checkMemory(Arena::mapped() + description.bytes);
    if (files.labels) {
      labels = Arena(files.count(), "labels");
      files.labels->file.read(files.labels->start, labels.data(), uint64_t(files.count()));
    }
    pixels = Arena(channels * files.height() * files.width(), "pixels of an image");
    for (int64_t c = 0; c < channels; ++c) {
      double mean = config.data.mean[config.data.mean.size() > 1 ? size_t(c) : 0];
      double deviation = config.data.std[config.data.std.size() > 1 ? size_t(c) : 0];
      for (int v = 0; v < 256; ++v) levels.push_back(float((v / 255.0 - mean) / deviation));
    }
    setFields({{"img", HEDDLE_F32, {{"B"}, {"CH", channels}, {"Y", files.height()}, {"X", files.width()}}},
               {"label", HEDDLE_I32, {{"B"}}}});
    files.labels ? setRecords(files.count()) : setParts(0, files.count());
    for (int64_t i = 0; i < files.classes; ++i) names.push_back(std::to_string(i));
    hash = hashOfData();
  }

  std::string fingerprint() const override {
    return fmt::format(R"({{"kind":"images","shape":[{}],"xxh64":"{:016x}","split":{}}})", fmt::join(files.images.shape, ","),
                       hash, split);
  }
  const std::vector<std::string>* classes() const override { return &names; }

private:
  void checkLabels(int64_t range) {
    for (int64_t i = 0; i < files.count() && files.classes > range; ++i) {
      uint8_t label;
      files.labels->file.read(files.labels->start + uint64_t(i), &label, 1);
      if (label >= range)
        throw RunError(kData, fmt::format("{}: byte {}: label {} of image {} is not in [0, {})", files.labels->file.path(),
                                          files.labels->start + uint64_t(i), label, i, range),
                       "compile the program for these data");
    }
  }

  // All labels, and 256 pieces of 4 KiB of the images, spread evenly from the first byte to the last.
  uint64_t hashOfData() const {
    constexpr uint64_t kPieces = 256, kBytes = 4096;
    FileHash state;
    if (files.labels) state.add({labels.data(), size_t(files.count())});
    uint64_t start = files.images.start, size = files.images.file.size() - start;
    uint64_t count = std::min(kPieces, (size + kBytes - 1) / kBytes), n = std::min(size, kBytes);
    std::vector<char> piece(n);
    for (uint64_t i = 0; i < count; ++i) {
      __extension__ typedef unsigned __int128 Wide;
      files.images.file.read(start + (count == 1 ? 0 : uint64_t(Wide(size - n) * i / (count - 1))), piece.data(), n);
      state.add({piece.data(), n});
    }
    return state.digest();
  }

  void fillRow(const RowPlace& place, void* const* out) override {
    int64_t plane = files.height() * files.width(), all = files.channels() * plane;
    if (auto* image = static_cast<float*>(out[0])) {
      auto* bytes = reinterpret_cast<uint8_t*>(pixels.data());
      files.images.file.read(files.images.start + uint64_t(place.record) * uint64_t(all), bytes, uint64_t(all));
      for (int64_t c = 0; c < files.channels(); ++c)
        for (int64_t i = c * plane; i < (c + 1) * plane; ++i) image[i] = levels[size_t(c * 256 + bytes[i])];
    }
    if (out[1]) *static_cast<int32_t*>(out[1]) = uint8_t(labels.data()[place.record]);
  }

  ImageFiles files;
  Arena labels, pixels;
  std::vector<float> levels;  // [channel][v]
  std::vector<std::string> names;
  uint64_t hash = 0;
};

}  // namespace

std::unique_ptr<DataSource> openImageSource(const RunConfig& config, const std::vector<std::string>& files) {
  return std::make_unique<ImageSource>(config, files[0], files[1]);
}

std::unique_ptr<DataSource> openUnlabelledImages(const RunConfig& config, const std::string& path) {
  return std::make_unique<ImageSource>(config, path, "");
}

DataDescription describeImages(const RunConfig& config, const std::vector<std::string>& files) {
  return ImageFiles(files[0], files[1]).describe(config);
}

}  // namespace heddle
