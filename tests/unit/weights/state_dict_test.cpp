#include "weights/torch/state_dict.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <numeric>
#include <random>
#include <tuple>

#include "base/error.hpp"
#include "base/file.hpp"
#include "support/temporary_folder.hpp"
#include "unit/weights/torch_zip.hpp"

namespace wan {
namespace {

using test::ViewToPickle;
using test::zip_of;

std::string bytes_of_floats(int count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 0.0F);
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

class StateDict : public testing::Test {
 protected:
  std::string write(const std::string& content) {
    const std::string path = folder_ / "x.pth";
    std::filesystem::remove(path);
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  /// Reads everything that it says it holds.
  void read_all(const std::string& content) {
    const StreamedComponent state = open_state_dict(write(content));
    for (const StreamedTensor& tensor : state.tensors) {
      ASSERT_LE(tensor.bytes(), 1 << 20) << tensor.name;
      std::vector<char> out(static_cast<std::size_t>(tensor.bytes()));
      tensor.read(0, tensor.shape.elements(), out.data());
    }
  }

  std::string complaint(const std::string& content) {
    try {
      read_all(content);
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  }

  void expect_refused(const std::string& content, const std::vector<std::string>& words) {
    const std::string found = complaint(content);
    for (const std::string& word : words)
      EXPECT_NE(found.find(word), std::string::npos) << word << ": " << found;
  }

  static std::string archive(const std::string& pickle, test::ZipStyle style = {}) {
    return zip_of({{"archive/data.pkl", pickle},
                   {"archive/byteorder", "little"},
                   {"archive/data/0", bytes_of_floats(24)},
                   {"archive/data/1", std::string("\x80\x3f\x00\xc0", 4)},
                   {"archive/version", "3\n"}},
                  style);
  }

  static std::vector<ViewToPickle> views() {
    return {{"whole", "FloatStorage", "0", 24, 0, {4, 3, 2}, {6, 2, 1}},
            {"turned", "FloatStorage", "0", 24, 0, {2, 3, 4}, {1, 2, 6}},
            {"row", "FloatStorage", "0", 24, 6, {1, 6}, {99, 1}},
            {"columns", "FloatStorage", "0", 24, 1, {4, 2}, {6, 1}},
            {"repeated", "FloatStorage", "0", 24, 5, {3}, {0}},
            {"scalar", "FloatStorage", "0", 24, 23, {}, {}},
            {"nothing", "FloatStorage", "0", 24, 24, {0, 5}, {5, 1}},
            {"short", "BFloat16Storage", "1", 2, 0, {2}, {1}}};
  }

  test::TemporaryFolder folder_;
};

TEST_F(StateDict, views_of_a_storage_read_as_torch_would_see_them) {
  for (const bool zip64 : {false, true}) {
    const StreamedComponent state =
        open_state_dict(write(archive(test::pickled_state_dict(views()), {zip64, 0})));
    ASSERT_EQ(state.tensors.size(), views().size());
    for (std::size_t t = 0; t + 1 < state.tensors.size(); ++t) {
      const StreamedTensor& tensor = state.tensors[t];
      const ViewToPickle view = views()[t];
      EXPECT_EQ(tensor.name, view.name);
      ASSERT_EQ(tensor.shape.rank(), static_cast<int>(view.shape.size()));
      const std::int64_t count = tensor.shape.elements();
      // In every split in two.
      for (std::int64_t cut = 0; cut <= count; ++cut) {
        std::vector<float> out(static_cast<std::size_t>(count));
        tensor.read(0, cut, out.data());
        tensor.read(cut, count - cut, out.data() + cut);
        for (std::int64_t i = 0; i < count; ++i) {
          std::int64_t place = view.offset;
          std::int64_t rest = i;
          for (std::size_t axis = view.shape.size(); axis > 0; --axis) {
            place += rest % view.shape[axis - 1] * view.strides[axis - 1];
            rest /= view.shape[axis - 1];
          }
          ASSERT_EQ(out[static_cast<std::size_t>(i)], static_cast<float>(place)) << tensor.name << " " << i;
        }
      }
    }
    const StreamedTensor& last = state.tensors.back();
    EXPECT_EQ(last.dtype, DType::bf16);
    std::uint16_t bits[2];
    last.read(0, 2, bits);
    EXPECT_EQ(bits[0], 0x3f80);
    EXPECT_EQ(bits[1], 0xc000);
  }
}

// Element i of a tensor is i + its number; make_state_dict.py.
TEST_F(StateDict, what_torch_wrote_reads_as_it_was) {
  const StreamedComponent state = open_state_dict(WAN_SOURCE_DIR "/tests/unit/weights/data/state_dict.pth");
  const std::vector<std::tuple<std::string, DType, Shape, std::vector<float>>> expected = {
      {"weight", DType::f32, {2, 3}, {0, 1, 2, 3, 4, 5}},
      {"bias", DType::f32, {2}, {1, 2}},
      {"short", DType::bf16, {2, 2}, {2, 3, 4, 5}},
      {"half", DType::f16, {5}, {3, 4, 5, 6, 7}},
      {"base", DType::f32, {3, 4}, {4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
      {"turned", DType::f32, {4, 3}, {4, 8, 12, 5, 9, 13, 6, 10, 14, 7, 11, 15}},
      {"column", DType::f32, {2}, {10, 14}},
      {"parameter", DType::f32, {2, 1}, {7, 8}},
      {"scalar", DType::f32, {}, {8}}};
  ASSERT_EQ(state.tensors.size(), expected.size());
  for (std::size_t t = 0; t < expected.size(); ++t) {
    const auto& [name, dtype, shape, values] = expected[t];
    EXPECT_EQ(state.tensors[t].name, name);
    EXPECT_EQ(state.tensors[t].dtype, dtype) << name;
    ASSERT_EQ(state.tensors[t].shape, shape) << name;
    std::vector<float> out(values.size());
    stored_as(state.tensors[t], DType::f32, "file").read(0, shape.elements(), out.data());
    EXPECT_EQ(out, values) << name;
  }
  const std::string whole = read_file(WAN_SOURCE_DIR "/tests/unit/weights/data/state_dict.pth");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THROW(read_all(whole.substr(0, length)), DataError) << length;
  }
}

TEST_F(StateDict, every_truncation_is_refused) {
  const std::string whole = archive(test::pickled_state_dict(views()));
  read_all(whole);
  for (std::size_t length = 0; length < whole.size(); length += length < 64 ? 1 : 3) {
    EXPECT_THROW(read_all(whole.substr(0, length)), DataError) << length;
  }
  const std::string pickle = test::pickled_state_dict(views());
  for (std::size_t length = 0; length < pickle.size(); ++length) {
    EXPECT_THROW(read_all(archive(pickle.substr(0, length))), DataError) << length;
  }
}

TEST_F(StateDict, changed_bytes_are_read_or_refused_and_nothing_else) {
  const std::string whole = archive(test::pickled_state_dict(views()));
  std::mt19937 draw(5);
  for (int round = 0; round < 3000; ++round) {
    std::string broken = whole;
    for (int change = 0; change <= round % 3; ++change) {
      broken[draw() % broken.size()] = static_cast<char>(draw() % 4 == 0 ? 0xff : draw());
    }
    try {
      read_all(broken);
    } catch (const DataError&) {
    }
  }
}

TEST_F(StateDict, opcodes_and_globals_of_programs_are_named_and_not_run) {
  for (int opcode = 0; opcode < 256; ++opcode) {
    if (std::strchr("}(tX)NJKMcQRsubqrhj.", opcode) != nullptr && opcode != 0) continue;
    if (opcode == 0x80 || (opcode >= 0x85 && opcode <= 0x8a)) continue;
    const std::string found = complaint(archive(std::string("\x80\x02}") + static_cast<char>(opcode) + "."));
    EXPECT_NE(found.find("data.pkl byte 3: opcode 0x"), std::string::npos) << opcode << " " << found;
  }
  expect_refused(archive("\x80\x02"
                         "cposix\nsystem\n" +
                         test::pickled_text("true") + "\x85R."),
                 {"byte 2", "posix system", "allowed", "_rebuild_tensor_v2"});
  expect_refused(archive("\x80\x04}."), {"protocol 4", "allowed: 2"});
  expect_refused(archive("\x80\x02"
                         "ctorch\nFloatStorage\n)R."),
                 {"torch FloatStorage", "no function"});
}

TEST_F(StateDict, pickles_that_are_no_state_dict_are_refused) {
  const std::string key = test::pickled_text("w");
  expect_refused(archive("\x80\x02K\x05."), {"a number", "a dictionary"});
  expect_refused(archive("\x80\x02}" + key + "K\x05s."), {"'w'", "a number", "tensors"});
  expect_refused(archive("\x80\x02}K\x01K\x02s."), {"a key of the state dict", "a number"});
  expect_refused(archive("\x80\x02}h\x07."), {"7", "never remembered"});
  expect_refused(archive("\x80\x02)t."), {"mark"});
  expect_refused(archive("\x80\x02R."), {"empty stack"});
  expect_refused(archive("\x80\x02}(" + key + "u."), {"a key without a value"});
  expect_refused(archive("\x80\x02}}."), {"ends with 2 values"});
  expect_refused(archive("\x80\x02}((."), {"ends with"});
  expect_refused(archive(test::pickled_state_dict({views()[0], views()[0]})), {"'whole'", "twice"});
  // A dictionary that holds itself, and a hundred thousand tuples inside each other, are only values.
  expect_refused(archive("\x80\x02}q\x01" + key + "h\x01s."), {"'w'", "a dictionary"});
  expect_refused(archive("\x80\x02)" + std::string(100000, '\x85') + "."), {"a tuple"});
  expect_refused(archive("\x80\x02X\xff\xff\xff\xff."), {"cut short"});
  expect_refused(archive("\x80\x02\x8a\x09"
                         "123456789."),
                 {"9 bytes"});
  expect_refused(archive(std::string((std::size_t{4} << 20) + 1, 'N')), {"data.pkl", "allowed: 4194304"});
}

TEST_F(StateDict, views_outside_their_storage_are_refused) {
  constexpr std::int64_t huge = std::int64_t{1} << 62;
  const std::vector<ViewToPickle> wrong = {
      {"w", "FloatStorage", "0", 24, 1, {4, 3, 2}, {6, 2, 1}},
      {"w", "FloatStorage", "0", 24, 24, {1}, {1}},
      {"w", "FloatStorage", "0", 24, -1, {4}, {1}},
      {"w", "FloatStorage", "0", 24, 0, {-4}, {1}},
      {"w", "FloatStorage", "0", 24, 23, {4}, {-1}},
      {"w", "FloatStorage", "0", 24, 0, {2}, {24}},
      {"w", "FloatStorage", "0", 24, 0, {huge, huge}, {0, 0}},
      {"w", "FloatStorage", "0", 24, huge, {3}, {huge}},
      {"w", "FloatStorage", "0", 24, 0, {2, 2}, {1}},
      {"w", "FloatStorage", "0", 24, 0, {1, 1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1, 1}},
      {"w", "FloatStorage", "0", 25, 0, {25}, {1}},
      {"w", "FloatStorage", "0", huge, 0, {huge}, {1}},
      {"w", "DoubleStorage", "0", 24, 0, {24}, {1}},
      {"w", "FloatStorage", "7", 24, 0, {24}, {1}},
      {"w", "FloatStorage", "../0", 24, 0, {24}, {1}},
      {"w", "ComplexFloatStorage", "0", 24, 0, {24}, {1}}};
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    EXPECT_NE(complaint(archive(test::pickled_state_dict({wrong[i]}))), "") << i;
  }
}

TEST_F(StateDict, other_zip_files_are_refused) {
  const std::string pickle = test::pickled_state_dict(views());
  expect_refused(archive(pickle, {false, 8}), {"archive/data.pkl", "compressed (method 8)", "stored"});
  expect_refused(zip_of({{"readme", "text"}}), {"without data.pkl"});
  expect_refused(zip_of({{"a/data.pkl", pickle}, {"a/byteorder", "big"}, {"a/data/0", bytes_of_floats(24)}}),
                 {"'big'", "little"});
  expect_refused(zip_of({{"a/data.pkl", pickle}, {"a/data.pkl", pickle}}), {"twice"});
  expect_refused(std::string("\x80\x02\x8a\x0a") + "l\xfc\x9c" + "F\xf9 j\xa8P\x19.", {"no zip file", "1.6"});
  expect_refused("", {"zip"});
  EXPECT_THROW((void)open_state_dict(folder_ / "absent.pth"), NoInputError);
}

}  // namespace
}  // namespace wan
