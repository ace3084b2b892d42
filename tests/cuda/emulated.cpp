// The kernels of pipeline/ops/kernels on the processor: the persistent loop against the naive one, for
// every cell, pooling, way of meeting, odd sizes and ragged lengths, forward and backward.
#include "emulated.h"

#include "../../pipeline/ops/kernels/naive.cu"
#include "../../pipeline/ops/kernels/persistent.cu"
#undef CELLS
#include "../../pipeline/ops/kernels/rounded.cu"
#undef CELL

#include <cstdio>
#include <cstdlib>
#include <random>

using Kernel = void (*)(Pass);
struct Cell {
    const char *name;
    int kind;
    Kernel naive[2], persistent[5][2], tf32[5][2], bf16[5][2];
};
// Units of a block and numbers of a slice, as they are compiled.
static const int CUTS[5][2] = {{32, 4}, {32, 8}, {32, 16}, {16, 16}, {8, 16}};
#define ROUNDED(name)                                                                              \
    {{nullptr, nullptr},                                                                           \
     {forward_##name##_8_32, backward_##name##_8_32},                                              \
     {forward_##name##_16_32, backward_##name##_16_32},                                            \
     {forward_##name##_16_16, backward_##name##_16_16},                                            \
     {nullptr, nullptr}}
#define CELL(name, KIND)                                                                           \
    {#name, KIND, {naive_forward_##name, naive_backward_##name},                                   \
     {{forward_##name##_4_32, backward_##name##_4_32},                                             \
      {forward_##name##_8_32, backward_##name##_8_32},                                             \
      {forward_##name##_16_32, backward_##name##_16_32},                                           \
      {forward_##name##_16_16, backward_##name##_16_16},                                           \
      {forward_##name##_16_8, backward_##name##_16_8}},                                             \
     ROUNDED(tf32_##name), ROUNDED(bf16_##name)}
static const Cell CELLS_HERE[] = {CELL(vanilla, VANILLA), CELL(relu, RELU), CELL(linear, LINEAR), CELL(ugrnn, UGRNN),
                                  CELL(gru, GRU), CELL(gru_before, GRU_BEFORE), CELL(lstm, LSTM),
                                  CELL(ugrnn_relu, UGRNN_RELU), CELL(gru_relu, GRU_RELU),
                                  CELL(gru_before_relu, GRU_BEFORE_RELU), CELL(lstm_relu, LSTM_RELU)};

static std::mt19937 generator(1);
static std::vector<float> draw(size_t count, float scale) {
    std::uniform_real_distribution<float> uniform(-scale, scale);
    std::vector<float> all(count);
    for (auto &x : all) x = uniform(generator);
    return all;
}

struct Outcome {
    std::vector<float> before, gates, pooled, back, initial;
};

static bool close(const char *what, const std::vector<float> &x, const std::vector<float> &y, float tolerance) {
    float scale = 1e-3f, worst = 0.0f;
    for (float v : y) scale = std::max(scale, std::fabs(v));
    for (size_t i = 0; i < x.size(); i++) {
        // NaN must not pass: it is infinitely far from everything.
        float apart = std::fabs(x[i] - y[i]);
        worst = std::max(worst, std::isfinite(apart) ? apart : INFINITY);
    }
    if (x.size() == y.size() && worst <= tolerance * scale) return true;
    std::printf("    %s: %g apart, scale %g\n", what, worst, scale);
    return false;
}

static bool check(const Cell &cell, int n, int pool, int cut, bool clustered, int group_rows,
                  std::vector<std::vector<int>> lengths, int precision = EXACT) {
    // A rounded operand is off by 2^-11 of itself or 2^-8; sums and steps let that grow a little.
    const float tolerance = precision == EXACT ? 3e-5f : precision == TF32 ? 4e-3f : 3e-2f;
    const int width = CUTS[cut][0];
    const int networks = lengths.size(), rows = lengths[0].size(), G = gates_of(cell.kind), SAVED = saved_of(cell.kind);
    const int state = gating(cell.kind) == LSTM ? 2 * n : n, distinct = 6, u = 3;
    Pass p{};
    p.rows = rows, p.units = n, p.distinct = distinct, p.pool = pool;
    std::vector<int> token, offset, length, origin;
    for (auto &l : lengths) {
        std::sort(l.rbegin(), l.rend());
        p.longest = std::max(p.longest, l[0]);
        int total = 0;
        for (int x : l) total += x;
        p.slots = std::max(p.slots, total);
    }
    for (auto &l : lengths) {
        int total = 0;
        for (int t = 0; t <= p.longest; t++) {
            offset.push_back(total);
            for (int x : l) total += x > t;
        }
        for (int t = 0; t < p.longest; t++)
            for (int x : l) token.push_back(t < x ? (int)(generator() % distinct) : -1);
        for (int r = 0; r < rows; r++) length.push_back(l[r]), origin.push_back((r * 2 + 1) % rows);
        if (rows % 2 == 0) for (int r = 0; r < rows; r++) origin[origin.size() - rows + r] = rows - 1 - r;
    }
    p.parameters = G * n * (u + n + 2);
    auto parameters = draw(networks * p.parameters, 1.5f / std::sqrt((float)n));
    auto table = draw((size_t)networks * distinct * G * n, 1.0f), initial = draw((size_t)networks * state, 0.5f);
    p.recurrent = parameters.data() + G * n * u;
    p.input_bias = p.recurrent + G * n * n;
    p.recurrent_bias = p.input_bias + G * n;
    p.table = table.data(), p.initial = initial.data(), p.token = token.data();
    p.offset = offset.data(), p.length = length.data(), p.row = origin.data();
    const size_t out = (size_t)networks * rows * state * (pool == EVERY ? p.longest : 1);
    auto gradient = draw(out, 1.0f);
    p.gradient = gradient.data();

    // `of`: whose forward numbers the naive way back begins with, in place of its own.
    auto run = [&](bool naive, const Outcome *of = nullptr) {
        Outcome o;
        o.before.assign((size_t)networks * p.slots * state, 0.0f);
        o.gates.assign((size_t)networks * p.slots * SAVED * n, 0.0f);
        o.pooled.assign(out, 0.0f);
        p.before = o.before.data(), p.gates = o.gates.data(), p.pooled = o.pooled.data();
        std::vector<float> partial;
        if (naive) {
            partial.assign((size_t)networks * rows * state, 0.0f);
            p.initial_gradient = partial.data();
            launch({(unsigned)(networks * rows)}, 64, 1, (size_t)(10 * n), false, [&] { cell.naive[0](p); });
            if (of) {
                std::copy(of->gates.begin(), of->gates.end(), o.gates.begin());
                std::copy(of->before.begin(), of->before.end(), o.before.begin());
            }
            o.back = o.gates;
            launch({(unsigned)(networks * rows)}, 64, 1, (size_t)(10 * n), false, [&] { cell.naive[1](p); });
        } else {
            p.width = width;
            p.blocks = (n + width - 1) / width;
            p.padded = THREADS / width * CUTS[cut][1];
            const Kernel *kernels = (precision == EXACT ? cell.persistent : precision == TF32 ? cell.tf32 : cell.bf16)[cut];
            p.group_rows = group_rows;
            p.groups = (rows + group_rows - 1) / group_rows;
            p.clustered = clustered;
            partial.assign((size_t)networks * p.groups * state, 0.0f);
            p.initial_gradient = partial.data();
            unsigned grid = networks * p.groups * p.blocks;
            const size_t spare = spare_of(precision), tile = rows_of(precision), parts = 256 / width;
            std::vector<float> exchange((size_t)networks * p.groups * 2 * p.group_rows * (G * p.padded + spare), 0.0f);
            std::vector<unsigned> arrivals(networks * p.groups, 0);
            p.exchange = exchange.data(), p.arrivals = arrivals.data();
            // As `shared` in ops/cuda/plan.rs.
            size_t own = p.group_rows * width;
            size_t copies = clustered ? 2 : 1;
            size_t forward_parts = precision == EXACT ? THREADS * TILE * G : parts * tile * (G * width + spare);
            size_t backward_parts = precision == EXACT ? THREADS * TILE * 4 : parts * tile * (width + spare);
            size_t forward = (copies + (gating(cell.kind) == GRU_BEFORE)) * p.group_rows * (p.padded + spare) +
                             2 * forward_parts + (G + 1) * own + 2 * G * width + 4 * own + 2 * p.group_rows;
            size_t backward = copies * p.group_rows * (G * p.padded + spare) + 2 * backward_parts +
                              (precision == EXACT ? p.group_rows / TILE * THREADS : own) + 2 * own + 2 * p.group_rows;
            launch({grid}, THREADS, clustered ? p.blocks : 1, forward, !clustered, [&] { kernels[0](p); });
            o.back = o.gates;
            std::fill(exchange.begin(), exchange.end(), 0.0f);
            std::fill(arrivals.begin(), arrivals.end(), 0u);
            launch({grid}, THREADS, clustered ? p.blocks : 1, backward, !clustered, [&] { kernels[1](p); });
        }
        std::swap(o.gates, o.back);  // gates: gradients now; back: what forward saved
        o.initial.assign((size_t)networks * state, 0.0f);
        size_t parts = partial.size() / networks / state;
        for (int m = 0; m < networks; m++)
            for (size_t g = 0; g < parts; g++)
                for (int i = 0; i < state; i++) o.initial[m * state + i] += partial[(m * parts + g) * state + i];
        return o;
    };
    Outcome plain = run(true), fast = run(false), back = plain;
    // A rounded operand takes a rectifier near 0 to its other side, which no tolerance of a gradient bridges: the way
    // back is compared from the same sides.
    if (precision != EXACT && (cell.kind == RELU || cell.kind > LSTM)) back = run(true, &fast);
    bool good = close("states before", fast.before, plain.before, tolerance) &
                close("states", fast.pooled, plain.pooled, tolerance) & close("gates", fast.gates, plain.gates, tolerance) &
                close("gradients", fast.back, back.back, tolerance) &
                close("gradient of the initial state", fast.initial, back.initial, tolerance);
    static const char *PRECISIONS[] = {"f32", "tf32", "bf16"};
    std::printf("%-10s %-4s units %3d pool %d width %2d %s: %s\n", cell.name, PRECISIONS[precision], n, pool, width,
                clustered ? "cluster" : "global ", good ? "ok" : "FAILED");
    return good;
}

int main() {
    bool good = true;
    int turn = 0;
    for (const Cell &cell : CELLS_HERE) {
        good &= check(cell, 37, turn % 3, 0, true, 4, {{3, 1, 2, 4, 4}, {2, 5, 1, 1, 3}});
        good &= check(cell, 20, turn % 3, 0, true, 20, {{3, 1, 2, 4, 4, 1, 1, 2, 2, 3, 1, 1, 5, 1, 1, 2, 4, 1, 3}});
        good &= check(cell, 70, (turn + 1) % 3, 1, true, 4, {{2, 3, 1}});
        good &= check(cell, 133, (turn + 2) % 3, 2, false, 8, {{2, 2, 1, 1, 2}});
        good &= check(cell, 18, (turn + 1) % 3, 3, false, 8, {{3, 2, 1, 4, 1, 2}});
        good &= check(cell, 7, (turn + 2) % 3, 4, true, 4, {{1, 6}, {2, 2}});
        good &= check(cell, 37, turn % 3, 1, true, 8, {{3, 1, 2, 4, 4}, {2, 5, 1, 1, 3}}, TF32);
        good &= check(cell, 133, (turn + 1) % 3, 2, false, 16, {{2, 2, 1, 1, 2, 1, 1, 1, 2, 1}}, TF32);
        good &= check(cell, 18, (turn + 2) % 3, 3, true, 8, {{3, 2, 1, 4, 1, 2}}, TF32);
        good &= check(cell, 133, turn % 3, 2, false, 8, {{2, 2, 1, 1, 2}}, BF16);
        good &= check(cell, 18, (turn + 1) % 3, 3, true, 8, {{3, 2, 1, 4, 1, 2}}, BF16);
        turn++;
    }
    std::printf(good ? "all agree\n" : "some disagree\n");
    return good ? 0 : 1;
}
