// Cuts the power of a recorded run at every moment, in every way that CrashStates.h describes, and resumes what is left
// with the runtime itself: every committed checkpoint is there and whole, none under its name is not, and the run goes on
// to the same end, byte for byte, checkpoints and metrics. Where nothing was committed, there may be nothing to resume.
//
// Usage: power-cut WHOLE TRACE STATES SEED [--without file-sync|directory-sync|metrics-sync]
// WHOLE is the run directory of the uninterrupted run, beside the corpus. With --without the test is tested: it must fail.
#include "CrashStates.h"
#include "TempDir.h"
#include "TinyProgram.h"

#include "runtime/Resume.h"
#include "runtime/RunDirectory.h"
#include "runtime/TrainLoop.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <regex>

namespace heddle {
namespace {

namespace fs = std::filesystem;

// Name to contents; metrics without the time.
std::map<std::string, std::string> contentsOf(const std::string& run) {
  static const std::regex time(",\"tokens_per_s\":[0-9.]+");
  std::map<std::string, std::string> files;
  for (auto& entry : fs::directory_iterator(run)) {
    std::string name = entry.path().filename(), text = readFile(entry.path());
    if (name != ".lock") files[name] = name == "metrics.jsonl" ? std::regex_replace(text, time, "") : text;
  }
  return files;
}

class Checker {
public:
  Checker(const std::string& whole) : reference(contentsOf(whole)), work("work") {
    for (auto& [name, text] : reference) steps += name.ends_with(".safetensors");
  }

  // Returns what is wrong with a disk, or "".
  std::string check(const crash::Disk& disk, const std::set<int64_t>& committed) {
    fs::remove_all(work);
    fs::create_directories(work);
    for (auto& [path, text] : disk)
      if (text == "/") fs::create_directories(work + "/" + path);
      else std::ofstream(work + "/" + path, std::ios::binary) << text;
    std::string run = work + "/run";
    for (int64_t step : committed) {
      std::string name = fmt::format("step-{}.safetensors", step), path = run + "/" + name;
      if (!fs::exists(path)) return name + ", which was committed, is lost";
      if (readFile(path) != reference[name]) return name + ", which was committed, is damaged";
    }
    bool any = fs::is_directory(run) && !findCheckpoints(run).empty();
    return any ? resume(run, committed) : refusal(run);
  }

  int64_t resumed = 0, nothing = 0;

private:
  std::string resume(const std::string& run, const std::set<int64_t>& committed) {
    HeddleProgram program = tiny::make(tiny::kSaveEveryStep);
    std::string passedOver;
    try {
      Session session(program, 1);
      auto loaded = loadNewest(run, session, LoadPart::kEverything, [&](auto& text) { passedOver += text + "\n"; });
      if (!passedOver.empty()) return "a checkpoint under its name is not whole: " + passedOver;
      if (!committed.empty() && loaded.info.step < *committed.rbegin())
        return fmt::format("step {} was loaded, although step {} was committed", loaded.info.step, *committed.rbegin());
      RunOptions options;
      options.out = run, options.resume = true, options.threads = 1, options.steps = steps;
      if (int code = train(program, options); code != kDone) return fmt::format("the resumed run ends with {}", code);
      auto files = contentsOf(run);
      for (auto& [name, text] : reference) {
        bool earlier = name.starts_with("step-") && std::stoll(name.substr(5)) < loaded.info.step;
        if (earlier && !files.count(name)) continue;  // never committed
        if (files[name] != text) return fmt::format("after step {} was resumed, {} is\n{}\nnot\n{}", loaded.info.step, name,
                                                    files[name], text);
      }
    } catch (const std::exception& e) {
      return fmt::format("{}\n{}", passedOver, e.what());
    }
    ++resumed;
    return "";
  }

  // Nothing to resume is told as such.
  std::string refusal(const std::string& run) {
    HeddleProgram program = tiny::make(tiny::kSaveEveryStep);
    RunOptions options;
    options.out = run, options.resume = true, options.threads = 1;
    std::string error = errorOf([&] { train(program, options); });
    ++nothing;
    return error.starts_with("3: ") ? "" : "without a checkpoint: " + error;
  }

  std::map<std::string, std::string> reference;
  std::string work;
  int64_t steps = 0;
};

int run(int argc, char** argv) {
  if (argc != 5 && argc != 7) return fputs("usage: power-cut WHOLE TRACE STATES SEED [--without CALL]\n", stderr), kUsage;
  crash::Without without;
  std::string left = argc == 7 ? argv[6] : "";
  without.fileSync = left == "file-sync", without.directorySync = left == "directory-sync";
  without.metricsSync = left == "metrics-sync";
  std::vector<std::string> lines;
  std::ifstream trace(argv[2]);
  for (std::string line; std::getline(trace, line);) lines.push_back(line);
  int64_t states = std::stoll(argv[3]), checked = 0, wrong = 0;
  std::mt19937 random(uint32_t(std::stoul(argv[4])));

  Checker checker(argv[1]);
  crash::Model model(without);
  auto check = [&](size_t prefix, const char* kind, const crash::Disk& disk) {
    std::string problem = checker.check(disk, model.committed());
    ++checked;
    if (problem.empty()) return;
    if (++wrong <= 3) printf("after %zu of %zu changes, %s: %s\n", prefix, lines.size(), kind, problem.c_str());
  };
  int null = open("/dev/null", O_WRONLY | O_CLOEXEC), err = dup(2);
  dup2(null, 2);  // the resumed runs tell their steps
  for (size_t prefix = 0; prefix <= lines.size(); ++prefix) {
    if (prefix > 0) model.apply(lines[prefix - 1]);
    check(prefix, "all of them on the disk", model.everything());
    check(prefix, "only what was synchronised", model.durableOnly());
    // Spread evenly over the prefixes.
    for (int64_t i = states * int64_t(prefix) / int64_t(lines.size() + 1);
         i < states * int64_t(prefix + 1) / int64_t(lines.size() + 1); ++i)
      check(prefix, "some", model.randomly(random));
  }
  dup2(err, 2);
  printf("%zu changes, %ld states (%ld random): %ld resumed, %ld with nothing committed, %ld wrong\n", lines.size(), checked,
         states, checker.resumed, checker.nothing, wrong);
  return wrong ? 1 : 0;
}

}  // namespace
}  // namespace heddle

int main(int argc, char** argv) { return heddle::run(argc, argv); }
