// The table against the dialect: an op without a row, or a row that does not use its op, is a failure.
#include "tests/numeric/Graph.h"
#include "tests/numeric/OpTable.h"
#include <gtest/gtest.h>
#include <set>

using namespace heddle;

TEST(OpTable, EveryOpOfTheDialectHasARow) {
  std::set<std::string> known, registered;
  for (const OpRow &row : opTable()) EXPECT_TRUE(known.insert(row.op).second) << row.op << " has two rows";
  for (const StructuralOp &structural : structuralOps())
    EXPECT_TRUE(known.insert(structural.op).second) << structural.op << " has a row and a reason for none";
  for (mlir::RegisteredOperationName name : testContext().getRegisteredOperationsByDialect("heddle"))
    registered.insert(name.stripDialect().str());
  EXPECT_GT(registered.size(), 40u);
  for (const std::string &op : registered)
    EXPECT_TRUE(known.count(op)) << "heddle." << op << " has no row: add one in tests/numeric/*Rows.cpp";
  for (const std::string &op : known) EXPECT_TRUE(registered.count(op)) << "the dialect has no heddle." << op;
}

TEST(OpTable, EveryCaseUsesItsOpAndRuns) {
  std::set<std::string> names;
  for (const OpRow &row : opTable()) {
    std::vector<Case> cases = casesOf(row);
    EXPECT_GE(cases.size(), std::size(kShapes)) << row.op;
    for (const Case &tested : cases) {
      EXPECT_TRUE(names.insert(tested.name).second) << "two cases are called " << tested.name;
      auto module = parseGraph(tested.text);
      ASSERT_TRUE(module) << tested.name;
      bool used = false;
      module->walk([&](mlir::Operation *op) { used |= op->getName().getStringRef() == "heddle." + row.op; });
      EXPECT_TRUE(used) << tested.name;
      auto outcome = interpret(entryOf(*module), inputsOf(tested));
      ASSERT_TRUE(bool(outcome)) << tested.name << ": " << llvm::toString(outcome.takeError());
      for (auto &[name, result] : outcome->results)
        EXPECT_EQ(tested.bound(tested, name, result).size(), result.elements.size()) << tested.name;
    }
  }
}
