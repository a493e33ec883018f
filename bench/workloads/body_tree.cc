// Bodies in an octree that is built anew for each step of time (the shape of barnes): long phases
// of building and walking, then everything freed at once.
#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "workload.h"

namespace {

struct Body {
  double at[3];
  double speed[3];
  double mass;
};

struct Cell {
  double centre[3] = {0, 0, 0};
  double mass = 0;
  const Body* body = nullptr;  // of a leaf
  std::array<Cell*, 8> children{};
};

int Octant(const Body& body, const double* middle) {
  return (body.at[0] > middle[0] ? 1 : 0) | (body.at[1] > middle[1] ? 2 : 0) |
         (body.at[2] > middle[2] ? 4 : 0);
}

void Insert(Cell* cell, const Body* body, const double* middle, double half, int depth) {
  for (int axis = 0; axis < 3; ++axis) cell->centre[axis] += body->at[axis] * body->mass;
  const bool empty = cell->mass == 0;
  cell->mass += body->mass;
  if (empty) {
    cell->body = body;
    return;
  }
  if (depth > 40) return;  // two bodies in one place
  const Body* const waiting = cell->body;
  cell->body = nullptr;
  for (const Body* down : {waiting, body}) {
    if (down == nullptr) continue;
    const int octant = Octant(*down, middle);
    double inner[3];
    for (int axis = 0; axis < 3; ++axis) {
      inner[axis] = middle[axis] + ((octant >> axis & 1) != 0 ? half / 2 : -half / 2);
    }
    Cell*& child = cell->children[static_cast<size_t>(octant)];
    if (child == nullptr) child = new Cell;
    Insert(child, down, inner, half / 2, depth + 1);
  }
}

void Pull(const Cell* cell, const Body& body, double half, double* force) {
  double way[3];
  double square = 1e-4;
  for (int axis = 0; axis < 3; ++axis) {
    way[axis] = cell->centre[axis] / cell->mass - body.at[axis];
    square += way[axis] * way[axis];
  }
  if (cell->body != nullptr || half * half < square * 0.8) {
    const double pull = cell->mass / (square * std::sqrt(square));
    for (int axis = 0; axis < 3; ++axis) force[axis] += way[axis] * pull;
    return;
  }
  for (const Cell* child : cell->children) {
    if (child != nullptr) Pull(child, body, half / 2, force);
  }
}

void Clear(Cell* cell) {
  for (Cell* child : cell->children) {
    if (child != nullptr) Clear(child);
  }
  delete cell;
}

}  // namespace

int main(int argc, char** argv) {
  const workload::Arguments arguments(argc, argv, 40, 1);
  workload::Random random(11);
  std::vector<Body> bodies(8000);
  for (Body& body : bodies) {
    for (int axis = 0; axis < 3; ++axis) {
      body.at[axis] = static_cast<double>(random.Below(1 << 20)) / (1 << 20) - 0.5;
      body.speed[axis] = 0;
    }
    body.mass = 1.0 / static_cast<double>(bodies.size());
  }
  const double middle[3] = {0, 0, 0};
  for (long step = 0; step < arguments.scale; ++step) {
    Cell* const root = new Cell;
    for (const Body& body : bodies) Insert(root, &body, middle, 2, 0);
    for (Body& body : bodies) {
      double force[3] = {0, 0, 0};
      Pull(root, body, 2, force);
      for (int axis = 0; axis < 3; ++axis) body.speed[axis] += force[axis] * 1e-3;
    }
    for (Body& body : bodies) {
      for (int axis = 0; axis < 3; ++axis) body.at[axis] += body.speed[axis] * 1e-3;
    }
    Clear(root);
  }
  uint64_t result;
  std::memcpy(&result, &bodies[0].at[0], sizeof(result));
  return workload::Finish(result);
}
