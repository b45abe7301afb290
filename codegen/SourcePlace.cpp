// Walks locations: names over files, fused lists, call sites (the callee is what the op computes).
#include "mlir/IR/BuiltinAttributes.h"
#include "codegen/SourcePlace.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace heddle;

std::string SourcePlace::text() const { return file.empty() ? "" : file + ":" + std::to_string(line); }

static void collect(Location location, SmallVectorImpl<SourcePlace> &places) {
  if (auto file = dyn_cast<FileLineColRange>(location)) {
    StringRef path = file.getFilename().getValue();
    SourcePlace place{llvm::sys::path::filename(path).str(), file.getStartLine(), path.str()};
    if (!llvm::is_contained(places, place)) places.push_back(std::move(place));
  } else if (auto name = dyn_cast<NameLoc>(location)) {
    collect(name.getChildLoc(), places);
  } else if (auto call = dyn_cast<CallSiteLoc>(location)) {
    collect(call.getCallee(), places);
  } else if (auto fused = dyn_cast<FusedLoc>(location)) {
    for (Location part : fused.getLocations()) collect(part, places);
  }
}

SmallVector<SourcePlace> heddle::sourcePlaces(Location location) {
  SmallVector<SourcePlace> places;
  collect(location, places);
  return places;
}

SourcePlace heddle::sourcePlace(Location location) {
  SmallVector<SourcePlace> places = sourcePlaces(location);
  return places.empty() ? SourcePlace() : places.front();
}

StringRef heddle::userName(Location location) {
  if (auto name = dyn_cast<NameLoc>(location)) return name.getName();
  if (auto call = dyn_cast<CallSiteLoc>(location)) return userName(call.getCallee());
  if (auto fused = dyn_cast<FusedLoc>(location))
    for (Location part : fused.getLocations())
      if (StringRef name = userName(part); !name.empty()) return name;
  return {};
}
