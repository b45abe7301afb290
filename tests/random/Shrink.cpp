// Greedy: each edit that keeps the finding is kept, until a round of all edits keeps none or time is up. The work is done
// in a child, since what it edits may be what crashes.
#include "tests/random/Shrink.h"
#include "passes/Pipeline.h"
#include "tests/random/Edits.h"
#include "tests/random/Generator.h"
#include "mlir/IR/Verifier.h"
#include <sys/wait.h>
#include <unistd.h>

using namespace mlir;
using namespace heddle;

std::string heddle::programText(uint64_t seed) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  loadDialects(context);
  return textOf(*generateProgram(context, seed));
}

namespace {
class Shrinker {
public:
  Shrinker(const std::string &text, const Finding &finding, TrialOptions options, double timeout)
      : context(MLIRContext::Threading::DISABLED), text(text), finding(finding), options(std::move(options)),
        timeout(timeout), until(std::chrono::steady_clock::now() + std::chrono::minutes(2)) {
    loadDialects(context);
    // Only what the finding needs is run.
    if (finding.kind.find("native") == std::string::npos) this->options.native = false;
    if (finding.kind.find("unfused") == std::string::npos) this->options.unfusedClass.clear();
  }

  std::string run() {
    if (!stillFails(text)) return text;
    for (bool changed = true; changed && !late();) changed = editAll() | shrinkDims();
    return text;
  }

private:
  bool late() const { return std::chrono::steady_clock::now() > until; }
  bool stillFails(const std::string &candidate) {
    Job job;
    job.texts = {candidate};
    job.options = options;
    Report report = runJob(job, std::min(timeout, 30.0));
    for (auto &[program, findings] : report.findings)
      for (const Finding &found : findings)
        if (found.kind == finding.kind) return true;
    return false;
  }
  OwningOpRef<ModuleOp> parsed(const std::string &from) {
    std::string error;
    return parseProgram(context, from, error);
  }

  bool editAll() {
    bool changed = false;
    for (size_t i = 0; !late(); ++i) {
      OwningOpRef<ModuleOp> module = parsed(text);
      if (!module) return changed;
      std::vector<Edit> edits = editsOf(*module);
      if (i >= edits.size()) break;
      if (!edits[i](*module)) continue;
      removeUnused(*module);
      if (failed(verify(*module))) continue;
      std::string candidate = textOf(*module);
      if (candidate == text || !stillFails(candidate)) continue;
      text = candidate;
      changed = true;
      --i;  // what stood at i is gone
    }
    return changed;
  }
  bool shrinkDims() {
    bool changed = false;
    for (bool again = true; again && !late();) {
      again = false;
      for (const std::string &candidate : smallerDims(text)) {
        if (late()) break;
        OwningOpRef<ModuleOp> module = parsed(candidate);
        if (!module || !stillFails(candidate)) continue;
        text = candidate;
        changed = again = true;
        break;
      }
    }
    return changed;
  }

  MLIRContext context;
  std::string text;
  Finding finding;
  TrialOptions options;
  double timeout;
  std::chrono::steady_clock::time_point until;
};
}  // namespace

std::string heddle::shrink(const std::string &text, const Finding &finding, const TrialOptions &options, double timeout) {
  int ends[2];
  if (pipe(ends) != 0) return text;
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    std::string small = Shrinker(text, finding, options, timeout).run();
    for (size_t done = 0; done < small.size();) {
      ssize_t n = write(ends[1], small.data() + done, small.size() - done);
      if (n <= 0) _exit(1);
      done += n;
    }
    _exit(0);
  }
  close(ends[1]);
  std::string small;
  char chunk[4096];
  for (ssize_t n; (n = read(ends[0], chunk, sizeof chunk)) > 0;) small.append(chunk, n);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return status == 0 && !small.empty() ? small : text;
}
