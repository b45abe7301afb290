// Images of a folder of PNG files, read by libpng. Each folder in it is a class, in alphabetical order, and its images are the
// files called *.png, in the same order; other files are an error, since they may be meant. All have one size, and one or
// three channels: grey or colour. Palettes become colours, fewer or more bits become eight; what is see-through is
// refused, since the model has no background to show.
//
// Images are read when they are due; their names stay in an arena.
#include "runtime/Arena.h"
#include "runtime/FileHash.h"
#include "runtime/ImageSet.h"
#include "runtime/InputFile.h"
#include "runtime/RunError.h"

#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

namespace heddle {
namespace {

namespace fs = std::filesystem;

// What a file can ask for must not exhaust memory.
constexpr int64_t kMostPixels = int64_t(1) << 26;
constexpr uint64_t kMostBytes = uint64_t(1) << 28;

std::vector<std::string> namesIn(const std::string& folder, bool folders) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::string name = it->path().filename().string();
    if (name.starts_with(".")) continue;
    std::error_code unknown;
    if (it->is_symlink(unknown))  // it may lead out of the program's directory
      throw RunError(kData, fmt::format("{}/{}: is a symbolic link", folder, name), "copy the file into the folder");
    bool isFolder = it->is_directory(unknown);
    bool wanted = folders ? isFolder : !isFolder && (name.ends_with(".png") || name.ends_with(".PNG"));
    if (!wanted)
      throw RunError(kData, fmt::format("{}/{}: is no {}", folder, name, folders ? "folder of a class" : "PNG file"),
                     folders ? "a folder of images has a folder for each class, with its PNG files" : "a folder of images holds nothing else");
    names.push_back(name);
  }
  if (error) throw RunError(kData, fmt::format("{}: cannot be read: {}", folder, error.message()));
  std::sort(names.begin(), names.end());
  return names;
}

// A PNG file, its header read.
class PngFile {
public:
  explicit PngFile(const std::string& path) : file(path) {
    if (file.size() > kMostBytes) throw RunError(kData, fmt::format("{}: has {} bytes, more than {}", path, file.size(), kMostBytes));
    bytes = file.readAll();
    image.version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_memory(&image, bytes.data(), bytes.size())) refuse();
    if (image.format & PNG_FORMAT_FLAG_ALPHA)
      throw RunError(kData, fmt::format("{}: is see-through in places", path), "save it without transparency");
    if (int64_t(image.width) * image.height > kMostPixels)
      throw RunError(kData, fmt::format("{}: has {} x {} pixels, more than {}", path, image.width, image.height, kMostPixels));
    image.format = image.format & PNG_FORMAT_FLAG_COLOR ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  }

  int64_t channels() const { return image.format == PNG_FORMAT_RGB ? 3 : 1; }
  int64_t height() const { return image.height; }
  int64_t width() const { return image.width; }

  // Channel by channel.
  void read(uint8_t* pixels) {
    int64_t plane = height() * width(), n = channels();
    std::vector<uint8_t> mixed(size_t(n * plane));
    if (!png_image_finish_read(&image, nullptr, mixed.data(), 0, nullptr)) refuse();
    for (int64_t i = 0; i < plane; ++i)
      for (int64_t c = 0; c < n; ++c) pixels[c * plane + i] = mixed[size_t(i * n + c)];
  }
  const std::string& content() const { return bytes; }

private:
  [[noreturn]] void refuse() {
    throw RunError(kData, fmt::format("{}: is no PNG file, or a damaged one: {}", file.path(), image.message));
  }

  // A member, so that what libpng holds is freed where PngFile's constructor throws too.
  struct Image : png_image {
    Image() : png_image{} {}
    ~Image() { png_image_free(this); }
    Image(const Image&) = delete;
  };

  InputFile file;
  std::string bytes;
  Image image;
};

class PngImages : public ImageSet {
public:
  PngImages(const std::string& folder, bool hasLabels) {
    path = folder;
    labelled = hasLabels;
    classes = labelled ? namesIn(folder, true) : std::vector<std::string>{};
    for (size_t c = 0; c < std::max<size_t>(1, classes.size()); ++c) {
      if (labelled && classes.empty()) break;
      std::string inside = labelled ? folder + "/" + classes[c] : folder;
      for (const std::string& name : namesIn(inside, false)) {
        found.push_back({labelled ? classes[c] + "/" + name : name, int32_t(c)});
        nameBytes += int64_t(found.back().name.size()) + 1;
      }
    }
    count = int64_t(found.size());
    if (!count)
      throw RunError(kData, fmt::format("{}: holds no PNG files", folder),
                     labelled ? "a folder of images has a folder for each class, with its PNG files" : "");
    PngFile first(folder + "/" + found[0].name);
    channels = first.channels(), height = first.height(), width = first.width();
    bytes = Arena::reserved(nameBytes) + Arena::reserved(count * int64_t(sizeof(Entry)));
  }

  void load() override {
    names = Arena(nameBytes, "names of images");
    entries = Arena(count * int64_t(sizeof(Entry)), "images");
    int64_t at = 0;
    for (int64_t i = 0; i < count; ++i) {
      memcpy(names.data() + at, found[size_t(i)].name.c_str(), found[size_t(i)].name.size() + 1);
      all()[i] = {at, found[size_t(i)].label};
      at += int64_t(found[size_t(i)].name.size()) + 1;
    }
    std::vector<Found>().swap(found);
  }
  void read(int64_t image, uint8_t* pixels) const override {
    PngFile file(pathOf(image));
    if (file.channels() != channels || file.height() != height || file.width() != width)
      throw RunError(kData, fmt::format("{}: is [CH={}, Y={}, X={}], but {} is [CH={}, Y={}, X={}]", pathOf(image), file.channels(),
                                        file.height(), file.width(), pathOf(0), channels, height, width),
                     "all images have one size, and are all grey or all in colour");
    file.read(pixels);
  }
  int32_t label(int64_t image) const override { return all()[image].label; }
  std::string placeOfLabel(int64_t image) const override { return pathOf(image); }

  // The names of all files, and what 256 of them hold, spread evenly.
  uint64_t hash() const override {
    FileHash state;
    state.add({names.data(), size_t(nameBytes)});
    int64_t pieces = std::min<int64_t>(256, count);
    for (int64_t i = 0; i < pieces; ++i)
      state.add(InputFile(pathOf(pieces == 1 ? 0 : (count - 1) * i / (pieces - 1))).readAll());
    return state.digest();
  }

private:
  struct Found {
    std::string name;  // in the folder
    int32_t label;
  };
  struct Entry {
    int64_t name;  // its first byte
    int32_t label;
  };
  Entry* all() const { return reinterpret_cast<Entry*>(entries.data()); }
  std::string pathOf(int64_t image) const { return path + "/" + (names.data() + all()[image].name); }

  std::vector<Found> found;  // until load()
  int64_t nameBytes = 0;
  Arena names, entries;
};

}  // namespace

std::unique_ptr<ImageSet> openPngImages(const std::string& folder, bool labelled) {
  std::error_code unknown;
  if (!fs::is_directory(folder, unknown))
    throw RunError(kData, fmt::format("{}: is no folder", folder),
                   "images are a folder of PNG files, or a pair of IDX files: `images(\"images.idx\", \"labels.idx\")`");
  return std::make_unique<PngImages>(folder, labelled);
}

}  // namespace heddle
