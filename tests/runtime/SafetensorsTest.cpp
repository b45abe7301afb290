// Safetensors files: what is written is read back, and no damaged file gets past the reader.
#include "TempDir.h"

#include "runtime/Abi.h"
#include "runtime/Safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <random>

namespace heddle {
namespace {

using testing::HasSubstr;

class Safetensors : public testing::Test {
protected:
  TempDir dir;

  std::string file(const std::string& header, size_t dataBytes) {
    std::string bytes(8, '\0');
    uint64_t n = header.size();
    memcpy(bytes.data(), &n, 8);
    return bytes + header + std::string(dataBytes, '\1');
  }
  std::string errorOfBytes(const std::string& bytes) {
    writeFile(dir / "x", bytes);
    return errorOf([&] { SafetensorsFile f(dir / "x"); });
  }
  std::string errorOfHeader(const std::string& header, size_t dataBytes) { return errorOfBytes(file(header, dataBytes)); }
};

TEST_F(Safetensors, WhatIsWrittenIsReadBack) {
  float f[] = {1.5f, -0.f, INFINITY, 4, 5, 6};
  int32_t i[] = {1, -2}, b[] = {1, 0, 1};
  SafetensorsWriter writer;
  writer.add("f", HEDDLE_F32, {2, 3}, f);
  writer.add("i", HEDDLE_I32, {2}, i);
  writer.add("b", HEDDLE_BOOL, {3}, b);
  writer.add("none", HEDDLE_F32, {4, 0}, nullptr);
  writer.metadata["k"] = "v \"quoted\"";
  writer.write(dir / "t");
  SafetensorsFile read(dir / "t");
  EXPECT_EQ(read.metadata().at("k"), "v \"quoted\"");
  EXPECT_EQ(read.tensors().size(), 4u);
  float f2[6];
  int32_t i2[2], b2[3];
  read.read(*read.find("f"), HEDDLE_F32, f2);
  read.read(*read.find("i"), HEDDLE_I32, i2);
  read.read(*read.find("b"), HEDDLE_BOOL, b2);
  read.read(*read.find("none"), HEDDLE_F32, nullptr);
  EXPECT_EQ(memcmp(f, f2, sizeof f), 0);
  EXPECT_EQ(memcmp(i, i2, sizeof i), 0);
  EXPECT_EQ(memcmp(b, b2, sizeof b), 0);
  read.read(*read.find("f"), 4, 2, HEDDLE_F32, f2);
  EXPECT_EQ(f2[0], 5);
  EXPECT_EQ(read.find("absent"), nullptr);
}

TEST_F(Safetensors, DamagedFilesAreRefusedWithPathByteAndCause) {
  EXPECT_THAT(errorOfBytes(""), HasSubstr(dir / "x" + ": byte 0: a safetensors file starts with 8 bytes"));
  EXPECT_THAT(errorOfBytes(std::string(8, '\xff')), HasSubstr("header would take 18446744073709551615 bytes, but 0 follow"));
  EXPECT_THAT(errorOfBytes(file("{}", 0).substr(0, 9)), HasSubstr("header would take 2 bytes, but 1 follow"));
  EXPECT_THAT(errorOfHeader("[]", 0), HasSubstr("byte 8: the header does not start with '{'"));
  EXPECT_THAT(errorOfHeader("", 0), HasSubstr("does not start with '{'"));
  EXPECT_THAT(errorOfHeader("{\"a\":", 0), HasSubstr("not JSON"));
  EXPECT_THAT(errorOfHeader("{\"\xff\":1}", 0), HasSubstr("not JSON"));
  EXPECT_THAT(errorOfHeader("{}", 3), HasSubstr("byte 10: 3 bytes that belong to no tensor"));
  EXPECT_EQ(errorOfHeader("{}      ", 0), "");
  std::string deep = "{\"a\":" + std::string(100000, '[') + std::string(100000, ']') + "}";
  EXPECT_THAT(errorOfHeader(deep, 0), HasSubstr("nested too deep"));
}

TEST_F(Safetensors, HostileEntriesAreRefused) {
  auto one = [&](const std::string& dtype, const std::string& shape, const std::string& offsets, size_t bytes) {
    return errorOfHeader("{\"a\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}}", bytes);
  };
  EXPECT_EQ(one("F32", "[2]", "[0,8]", 8), "");
  EXPECT_EQ(one("F32", "[]", "[0,4]", 4), "");
  EXPECT_EQ(one("F32", "[9223372036854775807,9,0]", "[0,0]", 0), "");
  EXPECT_THAT(one("F32", "[2]", "[8,0]", 8), HasSubstr("tensor 'a': data_offsets [8, 0] are reversed"));
  EXPECT_THAT(one("F32", "[2]", "[-8,0]", 8), HasSubstr("not two numbers from 0"));
  EXPECT_THAT(one("F32", "[2]", "[0,8,9]", 8), HasSubstr("not two numbers"));
  EXPECT_THAT(one("F32", "[2]", "[0.0,8.0]", 8), HasSubstr("not two numbers"));
  EXPECT_THAT(one("F32", "[2]", "[0,99999999999999999999]", 8), HasSubstr("not two numbers"));
  EXPECT_THAT(one("F32", "[2]", "[0,8]", 7), HasSubstr("its data ends at 8, but there are 7 bytes"));
  EXPECT_THAT(one("F32", "[3]", "[0,8]", 8), HasSubstr("8 bytes of data for a shape of 12 bytes"));
  EXPECT_THAT(one("F32", "[-2]", "[0,8]", 8), HasSubstr("size -2 in its shape"));
  EXPECT_THAT(one("F32", "[4294967296,4294967296]", "[0,8]", 8), HasSubstr("more than 2^64 bytes"));
  EXPECT_THAT(one("F32", "[18446744073709551615]", "[0,8]", 8), HasSubstr("in its shape"));
  EXPECT_THAT(one("X9", "[2]", "[0,8]", 8), HasSubstr("unknown dtype \"X9\""));
  EXPECT_THAT(one("F32", "{}", "[0,8]", 8), HasSubstr("shape wants a list"));
  EXPECT_THAT(one("F32", "[2]", "[4,12]", 12), HasSubstr("tensor 'a' follows a hole"));
  EXPECT_THAT(errorOfHeader("{\"a\":3}", 0), HasSubstr("wants exactly"));
  EXPECT_THAT(errorOfHeader("{\"__metadata__\":{\"a\":3}}", 0), HasSubstr("'a' is not a string"));
  EXPECT_THAT(errorOfHeader("{\"__metadata__\":[]}", 0), HasSubstr("not an object"));
  std::string a = "{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}",
              b = "{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}";
  EXPECT_THAT(errorOfHeader("{\"a\":" + a + ",\"b\":" + b + "}", 12), HasSubstr("'b' overlaps another"));
  EXPECT_THAT(errorOfHeader("{\"a\":" + a + ",\"a\":" + a + "}", 8), HasSubstr("the key 'a' stands twice"));
}

TEST_F(Safetensors, ValuesAreConvertedOnlyIfTheyFit) {
  auto with = [&](const std::string& dtype, int count, const void* data, size_t bytes) {
    std::string header = "{\"a\":{\"dtype\":\"" + dtype + "\",\"shape\":[" + std::to_string(count) +
                         "],\"data_offsets\":[0," + std::to_string(bytes) + "]}}";
    std::string all = file(header, bytes);
    memcpy(all.data() + all.size() - bytes, data, bytes);
    writeFile(dir / "v", all);
  };
  int64_t longs[] = {5, -7, 1ll << 31};
  int32_t ints[3];
  with("I64", 3, longs, 24);
  auto readAs = [&](int32_t type, int64_t count) {
    SafetensorsFile f(dir / "v");
    return errorOf([&] { f.read(*f.find("a"), 0, count, type, ints); });
  };
  EXPECT_EQ(readAs(HEDDLE_I32, 2), "");
  EXPECT_EQ(ints[1], -7);
  EXPECT_THAT(readAs(HEDDLE_I32, 3), HasSubstr("tensor 'a': element 2 does not fit i32"));
  EXPECT_THAT(readAs(HEDDLE_F32, 2), HasSubstr("is I64, but f32 is wanted"));
  double doubles[] = {0.1, 1e300, -INFINITY};
  with("F64", 3, doubles, 24);
  EXPECT_THAT(readAs(HEDDLE_F32, 3), HasSubstr("element 1 does not fit f32"));
  uint8_t bytes[] = {1, 0, 2};
  with("U8", 3, bytes, 3);
  EXPECT_EQ(readAs(HEDDLE_I32, 3), "");
  EXPECT_EQ(ints[2], 2);
  EXPECT_THAT(readAs(HEDDLE_BOOL, 3), HasSubstr("element 2 does not fit bool"));
  with("BOOL", 3, bytes, 3);
  EXPECT_EQ(readAs(HEDDLE_BOOL, 2), "");
  with("F8_E4M3", 1, bytes, 1);
  EXPECT_THAT(readAs(HEDDLE_F32, 1), HasSubstr("is F8_E4M3, but f32 is wanted"));
}

TEST_F(Safetensors, OnlyRegularFilesAreOpened) {
  EXPECT_THAT(errorOf([&] { SafetensorsFile f(dir / "absent"); }), HasSubstr("No such file"));
  EXPECT_THAT(errorOf([&] { SafetensorsFile f(dir.path); }), HasSubstr("a directory"));
  EXPECT_THAT(errorOf([&] { SafetensorsFile f("/dev/zero"); }), HasSubstr("not a regular file"));
  ASSERT_EQ(mkfifo((dir / "fifo").c_str(), 0600), 0);
  EXPECT_THAT(errorOf([&] { SafetensorsFile f(dir / "fifo"); }), HasSubstr("not a regular file"));
}

TEST_F(Safetensors, AFileCutShortWhileOpenIsAnError) {
  float data[4] = {};
  SafetensorsWriter writer;
  writer.add("a", HEDDLE_F32, {4}, data);
  writer.write(dir / "t");
  SafetensorsFile f(dir / "t");
  ASSERT_EQ(truncate((dir / "t").c_str(), off_t(std::filesystem::file_size(dir / "t")) - 4), 0);
  EXPECT_THAT(errorOf([&] { f.read(*f.find("a"), HEDDLE_F32, data); }), HasSubstr("the file ends here, 4 bytes early"));
}

TEST_F(Safetensors, RandomDamageNeverCrashes) {
  float data[4] = {};
  SafetensorsWriter writer;
  writer.add("a", HEDDLE_F32, {2, 2}, data);
  writer.add("b", HEDDLE_BOOL, {4}, data);
  writer.metadata["x"] = "y";
  writer.write(dir / "t");
  std::string good = readFile(dir / "t");
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = good;
    for (int n = 1 + random() % 3; n > 0; --n) bytes[random() % bytes.size()] = char(random());
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    std::string error = errorOfBytes(bytes);
    if (!error.empty()) {
      EXPECT_THAT(error, HasSubstr("3: error: "));
    }
  }
}

TEST_F(Safetensors, NothingIsWrittenOverADeviceOrIntoAMissingDirectory) {
  SafetensorsWriter writer;
  EXPECT_THAT(errorOf([&] { writer.write("/dev/null"); }), HasSubstr("not a regular file; it is not overwritten"));
  EXPECT_THAT(errorOf([&] { writer.write(dir / "no/such"); }), HasSubstr("cannot be written"));
  writer.write(dir / "ok");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path), {}), 1);
}

}  // namespace
}  // namespace heddle
