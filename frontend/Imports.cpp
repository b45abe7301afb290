// See Imports.h. Files are told apart by where their paths really lead, so that a file is one however it is reached; they are
// shown by the path that leads to them from where the program was named. The words of a path are looked at before the file
// system is: what lies outside is not even asked for.
#include "frontend/Imports.h"

#include "frontend/Parser.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <map>

namespace heddle {
using namespace ast;
namespace fs = std::filesystem;

namespace {

/// Is the path that of the directory's, or of something in it? Both absolute, without `.` and `..`.
bool within(const fs::path &path, fs::path directory) {
  if (!directory.has_filename()) // "/a/" and "/"
    directory = directory.parent_path();
  auto [end, other] = std::mismatch(directory.begin(), directory.end(), path.begin(), path.end());
  return end == directory.end();
}

/// A path in a message: it may be of any length and hold anything.
std::string shown(std::string path) {
  constexpr size_t longest = 200;
  for (char &c : path)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      c = '?';
  if (path.size() <= longest)
    return path;
  size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(path[end]) & 0xC0) == 0x80)
    --end;
  return path.substr(0, end) + "...";
}

class Loader {
public:
  Loader(const ImportPlaces &places, SourceManager &sources, Diagnostics &diagnostics)
      : places(places), sources(sources), diagnostics(diagnostics) {
    std::error_code bad;
    for (const std::string *place : allPlaces()) {
      fs::path path = place->empty() ? "." : *place;
      words.push_back(fs::absolute(path, bad).lexically_normal());
      real.push_back(fs::canonical(path, bad));
    }
  }

  void load(File &file, const std::string &identity) {
    chain.push_back({identity, nullptr});
    for (Use &use : file.uses)
      if (use.path.empty()) {
        chain.back().use = &use;
        use.imported = import(use);
      }
    chain.pop_back();
  }

  /// What tells a file apart from others; of stdin, its name.
  static std::string identity(const std::string &path) {
    std::error_code bad;
    fs::path real = fs::canonical(path, bad);
    return bad ? path : real.string();
  }

private:
  struct Step {
    std::string identity;
    const Use *use; // that is being followed
  };

  std::vector<const std::string *> allPlaces() const {
    std::vector<const std::string *> all{&places.base};
    for (const std::string &place : places.further)
      all.push_back(&place);
    return all;
  }

  Diagnostic &refuse(const Use &use, std::string message, const char *help = "") {
    Diagnostic &d = diagnostics.error(Code::H0327, use.fileSpan, std::move(message));
    if (*help)
      d.help(help);
    return d;
  }

  std::shared_ptr<const File> import(const Use &use) {
    const char *flag = "`--use DIR` on the command line allows the files of another directory";
    constexpr size_t longestPath = 4096; // PATH_MAX
    if (use.file.empty() || use.file.size() >= longestPath || use.file.find('\0') != std::string::npos)
      return refuse(use, "this is no path of a file", "name a file beside this one: `use \"layers.heddle\"`"), nullptr;
    const Source &from = *use.span.source;
    fs::path folder = from.name() == "<stdin>" ? fs::path(places.base) : fs::path(from.name()).parent_path();
    fs::path path = (folder / use.file).lexically_normal();
    if (path == "-") // which would be stdin
      path = "./-";
    std::error_code bad;
    fs::path absolute = fs::absolute(path, bad).lexically_normal();
    auto allowed = [](const fs::path &where, const std::vector<fs::path> &directories) {
      for (const fs::path &directory : directories)
        if (!directory.empty() && within(where, directory))
          return true;
      return false;
    };
    if (!allowed(absolute, words))
      return refuse(use, fmt::format("the path `{}` {} the program's directory", shown(use.file),
                                     fs::path(use.file).is_absolute() ? "is absolute and leads out of" : "leaves"), flag), nullptr;
    fs::file_status status = fs::status(path, bad);
    if (status.type() == fs::file_type::not_found)
      return refuse(use, fmt::format("there is no file `{}`", shown(path.string())), "a path is relative to the file that names it"), nullptr;
    if (status.type() == fs::file_type::none)
      return refuse(use, fmt::format("`{}` cannot be read: {}", shown(path.string()), bad.message())), nullptr;
    if (status.type() == fs::file_type::directory)
      return refuse(use, fmt::format("`{}` is a directory, not a .heddle file", shown(path.string()))), nullptr;
    if (status.type() != fs::file_type::regular)
      return refuse(use, fmt::format("`{}` is no plain file", shown(path.string()))), nullptr;
    fs::path target = fs::canonical(path, bad);
    if (bad)
      return refuse(use, fmt::format("`{}` cannot be read: {}", shown(path.string()), bad.message())), nullptr;
    if (!allowed(target, real))
      return refuse(use, fmt::format("the path `{}` leads to {}, out of the program's directory", shown(use.file), shown(target.string())), flag), nullptr;
    if (reportCircle(use, target.string()))
      return nullptr;
    if (auto known = loaded.find(target.string()); known != loaded.end())
      return known->second;
    return read(use, path.string(), target.string());
  }

  std::shared_ptr<const File> read(const Use &use, const std::string &path, const std::string &identity) {
    auto tooMuch = [&](const std::string &message) {
      if (diagnostics.firstTime("imports"))
        diagnostics.error(Code::H0606, use.fileSpan, message).help("put what belongs together into one file");
      return nullptr;
    };
    if (loaded.size() >= maxImports)
      return tooMuch(fmt::format("the program imports more than {} files", maxImports));
    if (places.reading)
      places.reading(path);
    std::string error;
    const Source *source = sources.read(path, error);
    if (!source)
      return refuse(use, error), nullptr;
    bytes += source->size();
    if (bytes > Source::maxBytes)
      return tooMuch(fmt::format("the files that the program imports have more than {} bytes together", Source::maxBytes));
    std::shared_ptr<File> file = parse(*source, diagnostics);
    loaded[identity] = file;
    dims += file->dims.size();
    if (dims > maxImportedDims)
      return tooMuch(fmt::format("the files that the program imports declare more than {} dims", maxImportedDims));
    load(*file, identity);
    return file;
  }

  // A file that is met again while it is being followed imports itself.
  bool reportCircle(const Use &use, const std::string &identity) {
    size_t first = 0;
    while (first < chain.size() && chain[first].identity != identity)
      ++first;
    if (first == chain.size())
      return false;
    std::string again = shown(chain[first].use->span.source->name());
    Diagnostic &d = diagnostics.error(Code::H0328, use.fileSpan, fmt::format("`{}` imports itself{}", again,
                                      first + 1 == chain.size() ? "" : " through others"));
    for (size_t i = first; i + 1 < chain.size(); ++i)
      d.label(chain[i].use->fileSpan, "by way of this");
    d.help(first + 1 == chain.size() ? "a file has its own modules without importing them"
                                     : "move what both sides need to a file of its own");
    return true;
  }

  const ImportPlaces &places;
  SourceManager &sources;
  Diagnostics &diagnostics;
  std::vector<fs::path> words, real; // of the places: as they are written, and where they lead
  std::map<std::string, std::shared_ptr<const File>> loaded; // by identity
  std::vector<Step> chain;
  size_t bytes = 0, dims = 0;
};

} // namespace

void loadImports(File &main, const ImportPlaces &places, SourceManager &sources, Diagnostics &diagnostics) {
  const std::string &name = main.source->name();
  Loader(places, sources, diagnostics).load(main, name == "<stdin>" ? name : Loader::identity(name));
}

} // namespace heddle
