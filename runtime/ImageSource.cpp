// Images with a label each, from a pair of IDX files or from a folder of PNG files (ImageSet.h).
//
// A pixel v of 0 to 255 becomes (v / 255 - mean) / std. Images are read when they are due, as a row of the batch.
#include "runtime/Arena.h"
#include "runtime/ImageSet.h"
#include "runtime/RecordSource.h"
#include "runtime/RunError.h"
#include "runtime/Unlabelled.h"

#include <fmt/format.h>

namespace heddle {
namespace {

DataDescription describeSet(const ImageSet& images, const RunConfig& config) {
  DataDescription result;
  result.facts = {{"classes", int64_t(images.classes.size())}, {"img.CH", images.channels}, {"img.Y", images.height}, {"img.X", images.width}};
  result.bytes = images.bytes + Arena::reserved(images.channels * images.height * images.width);
  RecordSource::describeSplit(images.count, config.data, result);
  return result;
}

class ImageSource : public RecordSource {
public:
  ImageSource(const RunConfig& config, std::unique_ptr<ImageSet> set)
      : RecordSource(config, set->path, "images"), images(std::move(set)) {
    DataDescription description = describeSet(*images, config);
    checkBinds(config, description.facts, path);
    int64_t channels = images->channels;
    for (auto& [name, values] : {std::pair{"mean", &config.data.mean}, {"std", &config.data.std}})
      if (values->size() != 1 && int64_t(values->size()) != channels)
        throw RunError(kData, fmt::format("{}: has {} channels, but `{}` has {} numbers", path, channels, name, values->size()));
    checkMemory(Arena::mapped() + description.bytes);
    images->load();
    if (auto range = config.ranges.find("data.label"); images->labelled && range != config.ranges.end()) checkLabels(range->second);
    pixels = Arena(channels * images->height * images->width, "pixels of an image");
    for (int64_t c = 0; c < channels; ++c) {
      double mean = config.data.mean[config.data.mean.size() > 1 ? size_t(c) : 0];
      double deviation = config.data.std[config.data.std.size() > 1 ? size_t(c) : 0];
      for (int v = 0; v < 256; ++v) levels.push_back(float((v / 255.0 - mean) / deviation));
    }
    setFields({{"img", HEDDLE_F32, {{"B"}, {"CH", channels}, {"Y", images->height}, {"X", images->width}}},
               {"label", HEDDLE_I32, {{"B"}}}});
    images->labelled ? setRecords(images->count) : setParts(0, images->count);
    hash = images->hash();
  }

  std::string fingerprint() const override {
    std::string shape = images->channels > 1 ? fmt::format("{},", images->channels) : "";
    return fmt::format(R"({{"kind":"images","shape":[{},{}{},{}],"xxh64":"{:016x}","split":{}}})", images->count, shape,
                       images->height, images->width, hash, split);
  }
  const std::vector<std::string>* classes() const override { return &images->classes; }

private:
  void checkLabels(int64_t range) {
    for (int64_t i = 0; i < images->count && int64_t(images->classes.size()) > range; ++i)
      if (int32_t label = images->label(i); label >= range)
        throw RunError(kData, fmt::format("{}: label {} of image {} is not in [0, {})", images->placeOfLabel(i), label, i, range),
                       "compile the program for these data");
  }

  void fillRow(const RowPlace& place, void* const* out) override {
    int64_t plane = images->height * images->width;
    if (auto* image = static_cast<float*>(out[0])) {
      auto* bytes = reinterpret_cast<uint8_t*>(pixels.data());
      images->read(place.record, bytes);
      for (int64_t c = 0; c < images->channels; ++c)
        for (int64_t i = c * plane; i < (c + 1) * plane; ++i) image[i] = levels[size_t(c * 256 + bytes[i])];
    }
    if (out[1]) *static_cast<int32_t*>(out[1]) = images->label(place.record);
  }

  std::unique_ptr<ImageSet> images;
  Arena pixels;
  std::vector<float> levels;  // [channel][v]
  uint64_t hash = 0;
};

std::unique_ptr<ImageSet> openSet(const std::vector<std::string>& files) {
  return files.size() == 1 ? openPngImages(files[0], true) : openIdxImages(files[0], files[1]);
}

}  // namespace

std::unique_ptr<DataSource> openImageSource(const RunConfig& config, const std::vector<std::string>& files) {
  return std::make_unique<ImageSource>(config, openSet(files));
}

std::unique_ptr<DataSource> openUnlabelledImages(const RunConfig& config, const std::string& path) {
  return std::make_unique<ImageSource>(config, config.data.labels.empty() ? openPngImages(path, false) : openIdxImages(path, ""));
}

DataDescription describeImages(const RunConfig& config, const std::vector<std::string>& files) {
  return describeSet(*openSet(files), config);
}

}  // namespace heddle
