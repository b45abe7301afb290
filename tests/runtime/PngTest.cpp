// Images of a folder of PNG files. They are written by libpng's other half.
#include "FedSource.h"
#include "runtime/Unlabelled.h"

#include <gmock/gmock.h>
#include <png.h>

#include <filesystem>

using namespace heddle;
using nlohmann::json;
using testing::HasSubstr;

namespace {

class PngFolder : public FedSource {
protected:
  static constexpr int kHeight = 2, kWidth = 3;
  PngFolder() : program(inputs(1)) {
    for (const char* name : {"cat/a.png", "cat/b.png", "dog/a.png", "emu/z.PNG"}) write(name, PNG_FORMAT_GRAY, value++);
  }
  static std::vector<FedInput> inputs(int64_t channels) {
    return {{"data.img", HEDDLE_F32, {{"B", 2}, {"CH", channels}, {"Y", kHeight}, {"X", kWidth}}},
            {"data.label", HEDDLE_I32, {{"B", 2}}}};
  }
  // Sample i of the file is 10 first + i.
  void write(const std::string& name, png_uint_32 format, int first, int height = kHeight) {
    std::filesystem::path path = std::filesystem::path(dir / "pets") / name;
    std::filesystem::create_directories(path.parent_path());
    png_image image{};
    image.version = PNG_IMAGE_VERSION, image.format = format, image.width = kWidth, image.height = png_uint_32(height);
    std::vector<uint8_t> samples(PNG_IMAGE_SIZE(image));
    for (size_t i = 0; i < samples.size(); ++i) samples[i] = uint8_t(10 * first + int(i));
    ASSERT_TRUE(png_image_write_to_file(&image, path.c_str(), 0, samples.data(), 0, nullptr)) << image.message;
  }
  json source = {{"kind", "images"}, {"path", "pets"}, {"split", 0.5}, {"mean", 0.0}, {"std", 1.0}};
  FedProgram program;
  int value = 0;
};

TEST_F(PngFolder, FoldersAreClasses) {
  auto data = open(source, program);
  ASSERT_TRUE(data->classes());
  EXPECT_EQ(*data->classes(), (std::vector<std::string>{"cat", "dog", "emu"}));
  std::map<int, int> labelOf = {{0, 0}, {1, 0}, {2, 1}, {3, 2}};  // by what the pixels begin with
  std::set<int> seen;
  auto look = [&](FedProgram& of, bool evaluation) {
    for (int b = 0; b < 2; ++b) {
      auto img = of.floats("data.img");
      int first = int(std::lround(img[size_t(6 * b)] * 255)) / 10;
      for (int p = 0; p < 6; ++p) EXPECT_FLOAT_EQ(img[size_t(6 * b + p)], float((10 * first + p) / 255.0));
      EXPECT_EQ(of.ints("data.label")[size_t(b)], labelOf.at(first)) << evaluation;
      seen.insert(first);
    }
  };
  data->fillTraining(program.session(), program.entry(false), 1, 1, 0);
  look(program, false);
  data->fillEvaluation(program.session(), program.entry(true), 0, 1);
  look(program, true);
  EXPECT_EQ(seen.size(), 4u);
  auto facts = describeData(config(source), "").facts;
  EXPECT_EQ(facts["classes"], 3);
  EXPECT_EQ(facts["img.CH"], 1);
  EXPECT_EQ(facts["img.Y"], kHeight);
  EXPECT_EQ(facts["img.X"], kWidth);
  expectPlannedMemory(source);
  EXPECT_EQ(dataFiles(config(source), "/other"), (std::vector<std::string>{"/other"}));
}

TEST_F(PngFolder, ColoursAreChannels) {
  std::filesystem::remove_all(std::filesystem::path(dir / "pets"));
  for (const char* name : {"a/1.png", "a/2.png", "b/1.png", "b/2.png"}) write(name, PNG_FORMAT_RGB, 0);
  FedProgram coloured(inputs(3));
  source["std"] = {1.0, 0.5, 2.0};
  auto data = open(source, coloured);
  data->fillTraining(coloured.session(), coloured.entry(false), 1, 1, 0);
  auto img = coloured.floats("data.img");
  EXPECT_FLOAT_EQ(img[1], float(3 / 255.0));        // red of the second pixel
  EXPECT_FLOAT_EQ(img[6], float(1 / 255.0 / 0.5));  // green of the first
  EXPECT_FLOAT_EQ(img[12], float(2 / 255.0 / 2));
}

TEST_F(PngFolder, WhatIsNoFolderOfImagesIsNamed) {
  auto error = [&] { return openError(source, program); };
  std::filesystem::path pets = std::filesystem::path(dir / "pets");
  writeFile(dir / "pets/cat/notes.txt", "x");
  EXPECT_THAT(error(), HasSubstr("pets/cat/notes.txt: is no PNG file"));
  std::filesystem::remove(pets / "cat/notes.txt");
  writeFile(dir / "pets/lonely.png", "x");
  EXPECT_THAT(error(), HasSubstr("pets/lonely.png: is no folder of a class"));
  std::filesystem::remove(pets / "lonely.png");
  std::filesystem::create_symlink("/etc/passwd", pets / "cat/c.png");
  EXPECT_THAT(error(), HasSubstr("pets/cat/c.png: is a symbolic link"));
  std::filesystem::remove(pets / "cat/c.png");
  writeFile(dir / "pets/cat/a.png", "no image");
  EXPECT_THAT(error(), HasSubstr("pets/cat/a.png: is no PNG file, or a damaged one: Not a PNG file"));
  write("cat/a.png", PNG_FORMAT_RGBA, 0);
  EXPECT_THAT(error(), HasSubstr("pets/cat/a.png: is see-through in places"));
  std::filesystem::remove_all(pets);
  std::filesystem::create_directories(pets / "cat");
  EXPECT_THAT(error(), HasSubstr("pets: holds no PNG files"));
  std::filesystem::remove_all(pets);
  writeFile(dir / "pets", "x");
  EXPECT_THAT(error(), HasSubstr("pets: is no folder\n  help: images are a folder of PNG files, or a pair of IDX files"));
}

TEST_F(PngFolder, AnImageOfAnotherSizeOrCutShortIsNamedWhenItIsDue) {
  write("dog/a.png", PNG_FORMAT_GRAY, 2, 5);
  auto all = [&] {
    auto data = open(source, program);
    data->fillTraining(program.session(), program.entry(false), 1, 1, 0);
    data->fillEvaluation(program.session(), program.entry(true), 0, 1);
  };
  EXPECT_THAT(errorOf(all), HasSubstr("pets/dog/a.png: is [CH=1, Y=5, X=3], but "));
  write("dog/a.png", PNG_FORMAT_GRAY, 2);
  std::filesystem::path cut = std::filesystem::path(dir / "pets/dog/a.png");
  std::filesystem::resize_file(cut, std::filesystem::file_size(cut) / 2);
  EXPECT_THAT(errorOf(all), HasSubstr("pets/dog/a.png: is no PNG file, or a damaged one: "));
}

}  // namespace
