// Images of one size, with a label each, as files have them.
#ifndef HEDDLE_RUNTIME_IMAGESET_H
#define HEDDLE_RUNTIME_IMAGESET_H
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace heddle {

class ImageSet {
public:
  virtual ~ImageSet() = default;

  /// Writes the pixels of an image, u8[CH, Y, X], as they lie in its file. Throws RunError(kData).
  virtual void read(int64_t image, uint8_t* pixels) const = 0;
  /// The class of an image; of a set that has labels.
  virtual int32_t label(int64_t image) const = 0;
  /// Names of the label of an image, for errors: "l.idx: byte 12", "digits/3/a.png".
  virtual std::string placeOfLabel(int64_t image) const = 0;
  /// Of the labels and of a part of the images that is spread over all.
  virtual uint64_t hash() const = 0;
  /// Takes the memory for what stays, once `bytes` have been counted.
  virtual void load() {}

  std::string path;  // in errors
  int64_t count = 0, channels = 1, height = 0, width = 0;
  bool labelled = true;
  std::vector<std::string> classes;  // names
  int64_t bytes = 0;                 // in arenas, once load() was called, as they are mapped
};

/// A pair of IDX files (IdxImages.cpp); without a path of labels, images that have none. Throws RunError(kData).
std::unique_ptr<ImageSet> openIdxImages(const std::string& imagePath, const std::string& labelPath);

/// A folder of PNG files (PngImages.cpp): each of its folders is a class; without labels, they lie in it directly. Throws
/// RunError(kData).
std::unique_ptr<ImageSet> openPngImages(const std::string& folder, bool labelled);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_IMAGESET_H
