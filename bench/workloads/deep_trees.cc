// Binary trees built and torn down by recursion, some to a depth of thousands: stacks as deep as
// they come, and the same few functions on them.
#include <algorithm>

#include "workload.h"

namespace {

struct Node {
  Node* left = nullptr;
  Node* right = nullptr;
  uint64_t payload = 0;
};

Node* BuildFull(int depth) {
  Node* const node = new Node;
  node->payload = static_cast<uint64_t>(depth);
  if (depth > 0) {
    node->left = BuildFull(depth - 1);
    node->right = BuildFull(depth - 1);
  }
  return node;
}

// A chain with twigs: one frame of stack a level.
Node* BuildChain(int depth, workload::Random& random) {
  Node* const node = new Node;
  node->payload = random.Below(100);
  if (random.Below(4) == 0) node->right = new Node;
  if (depth > 0) node->left = BuildChain(depth - 1, random);
  return node;
}

uint64_t Drop(Node* node) {
  if (node == nullptr) return 0;
  const uint64_t sum = node->payload + Drop(node->left) + Drop(node->right);
  delete node;
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const workload::Arguments arguments(argc, argv, 150, 1);
  workload::Random random(17);
  uint64_t result = 0;
  Node* long_lived = nullptr;
  for (long round = 0; round < arguments.scale; ++round) {
    result += Drop(BuildFull(14));
    for (int chain = 0; chain < 10; ++chain) result += Drop(BuildChain(5000, random));
    if (round % 20 == 0) {
      result += Drop(long_lived);
      long_lived = BuildFull(12);
    }
  }
  result += Drop(long_lived);
  return workload::Finish(result);
}
