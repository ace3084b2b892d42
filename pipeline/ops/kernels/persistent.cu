// A whole sequence in one launch, the recurrent weights in registers from the first token to the last.
//
// A *group* of blocks carries some rows through all tokens. Each block owns `width` units and holds
// their part of W, spread over its threads: a lane owns a unit, a warp (or half, or quarter of one) a
// slice of K numbers of the state. At each token a thread multiplies its K·G weights with its slice of
// every row, the slices are added in a fixed order, one thread a unit and row applies the equations,
// and the new states go to the shared memory of every block of the group (a cluster), or through
// global memory where a cluster is too small. No sum depends on who comes first: equal bits each run.
//
// Work a token and row: G·n² multiply-adds, n numbers exchanged (G·n on the way back); one meeting of
// the group (two for the GRU that resets before the product).
#include "sequence.cuh"

namespace {

// Where this block stands.
struct Place {
    int network, group, rank, first, rows;  // first row of the group, and how many it really has
    int unit, slice;                        // this lane's unit in the block, and its slice
    int own;                                // the unit among all
    unsigned meetings;
    float *exchange;
    unsigned *arrivals;
};

__device__ Place place(const Pass &p) {
    Place at;
    int team = blockIdx.x / p.blocks;
    at.rank = blockIdx.x % p.blocks;
    at.network = p.first_network + team / p.groups;
    at.group = team % p.groups;
    at.first = p.first_row + at.group * p.group_rows;
    at.rows = min(p.group_rows, p.rows - at.first);
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32, parts = 32 / p.width;
    at.unit = lane % p.width;
    at.slice = warp * parts + lane / p.width;
    at.own = at.rank * p.width + at.unit;
    at.meetings = 0;
    at.exchange = p.exchange;
    at.arrivals = p.arrivals + team;
    return at;
}

__device__ inline void meet(const Pass &p, Place &at) {
    if (p.clustered) {
        meet_cluster();
    } else {
        at.meetings += p.blocks;
        meet_global(at.arrivals, at.meetings);
    }
}

// Hands `x` to every block of the group: at `index` of `buffer`, which holds `size` numbers and is
// number `which` of the exchange.
__device__ inline void hand(const Pass &p, const Place &at, float *buffer, int index, float x) {
    if (p.clustered) {
        for (int rank = 0; rank < p.blocks; rank++) of_block(buffer, rank)[index] = x;
    } else {
        // Kept until the meeting; `take` brings everyone's.
        at.exchange[index] = x;
    }
}

// After a meeting in global memory: the group's numbers into shared memory.
__device__ inline void take(const Pass &p, const Place &at, float *buffer, int size) {
    if (p.clustered) return;
    for (int i = 4 * threadIdx.x; i < size; i += 4 * THREADS) {
        *(float4 *)(buffer + i) = fresh(at.exchange + i);
    }
    SYNC_BLOCK();
}

// Partial products of TILE rows from `x` (row stride `stride`, at this thread's slice) with COUNT gates
// from FIRST on; `gap` numbers lie between two gates of a row (0: all gates share the row).
template <int FIRST, int COUNT, int G, int K, bool JOIN>
__device__ inline void product(const float (&w)[G][K], const float *x, int stride, int gap,
                               float (&sum)[TILE][JOIN ? 1 : COUNT]) {
#pragma unroll
    for (int r = 0; r < TILE; r++)
#pragma unroll
        for (int g = 0; g < (JOIN ? 1 : COUNT); g++) sum[r][g] = 0.0f;
#pragma unroll
    for (int g0 = 0; g0 < (JOIN ? COUNT : 1); g0++) {
#pragma unroll
        for (int i = 0; i < K; i += 4) {
#pragma unroll
            for (int r = 0; r < TILE; r++) {
                float4 v = *(const float4 *)(x + r * stride + g0 * gap + i);
#pragma unroll
                for (int g = 0; g < (JOIN ? 1 : COUNT); g++) {
                    constexpr int F = FIRST;
                    int gate = F + (JOIN ? g0 : g);
                    sum[r][g] = fmaf(w[gate][i], v.x, sum[r][g]);
                    sum[r][g] = fmaf(w[gate][i + 1], v.y, sum[r][g]);
                    sum[r][g] = fmaf(w[gate][i + 2], v.z, sum[r][g]);
                    sum[r][g] = fmaf(w[gate][i + 3], v.w, sum[r][g]);
                }
            }
        }
    }
}

template <int COUNT>
__device__ inline void put(const Pass &p, const Place &at, float *partial, const float (&sum)[TILE][COUNT]) {
#pragma unroll
    for (int r = 0; r < TILE; r++)
#pragma unroll
        for (int g = 0; g < COUNT; g++)
            partial[((at.slice * TILE + r) * COUNT + g) * p.width + at.unit] = sum[r][g];
}

// The slices' sum, in their order, for row r of the tile.
template <int COUNT>
__device__ inline float gather(const Pass &p, const float *partial, int r, int g, int unit) {
    int slices = THREADS / p.width, stride = TILE * COUNT * p.width;
    const float *from = partial + (r * COUNT + g) * p.width + unit;
    float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    for (int s = 0; s < slices; s += 4) {
#pragma unroll
        for (int i = 0; i < 4; i++) sum[i] += from[(s + i) * stride];
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// Numbers of shared memory: see `shared` in ops/cuda.rs, which must agree.
template <int KIND, int K>
__device__ void forward(const Pass &p) {
    constexpr int G = gates_of(KIND), SAVED = saved_of(KIND);
    constexpr int FIRST_COUNT = KIND == GRU_BEFORE ? 2 : G;
    SHARED_MEMORY(memory);
    Place at = place(p);
    const int n = p.units, state = KIND == LSTM ? 2 * n : n;
    const int buffer = p.group_rows * p.padded, pairs = p.group_rows * p.width;
    float *h = memory;                                  // [2, group_rows, padded]
    float *reset = h + 2 * buffer;                      // [group_rows, padded], GRU_BEFORE
    float *partial = reset + (KIND == GRU_BEFORE ? buffer : 0);  // [2, slices, TILE, G, width]
    float *own_h = partial + 2 * THREADS * TILE * G;    // [group_rows, width]
    float *own_c = own_h + pairs;                       // LSTM's c; GRU_BEFORE's u
    float *sums = own_c + pairs;                        // of h, then of c: the mean
    float *exchange = p.exchange + (long long)(blockIdx.x / p.blocks) * 2 * p.group_rows * G * p.padded;

    const long long shift = at.network * p.parameters;
    const float *W = p.recurrent + shift;
    float w[G][K];
#pragma unroll
    for (int g = 0; g < G; g++)
#pragma unroll
        for (int i = 0; i < K; i++) {
            int k = at.slice * K + i;
            w[g][i] = at.own < n && k < n ? W[((long long)g * n + at.own) * n + k] : 0.0f;
        }
    // The thread that finishes row `r` of a tile, unit `u` of the block.
    const bool finishes = threadIdx.x < TILE * p.width;
    const int r0 = threadIdx.x / p.width, u = threadIdx.x % p.width, j = at.rank * p.width + u;
    const bool real = finishes && j < n;
    float b_ih[G], b_hh[G];
#pragma unroll
    for (int g = 0; g < G; g++) {
        b_ih[g] = real ? p.input_bias[shift + g * n + j] : 0.0f;
        b_hh[g] = real ? p.recurrent_bias[shift + g * n + j] : 0.0f;
    }
    const int *token = p.token + (long long)at.network * p.slots;
    const int *offset = p.offset + (long long)at.network * (p.longest + 1);
    const int *length = p.length + (long long)at.network * p.rows + at.first;
    const int *origin = p.row + (long long)at.network * p.rows + at.first;
    const float *table = p.table + (long long)at.network * p.distinct * G * n;
    const float *initial = p.initial + (long long)at.network * state;
    float *before = p.before ? p.before + (long long)at.network * p.slots * state : nullptr;
    float *gates = p.gates ? p.gates + (long long)at.network * p.slots * SAVED * n : nullptr;
    const long long pooled_row = p.pool == EVERY ? (long long)p.longest * state : state;
    float *pooled = p.pooled + (long long)at.network * p.rows * pooled_row;

    for (int i = threadIdx.x; i < 2 * buffer + (KIND == GRU_BEFORE ? buffer : 0); i += THREADS) {
        int k = i % p.padded;
        h[i] = i < buffer && k < n ? initial[k] : 0.0f;
    }
    for (int i = threadIdx.x; i < pairs; i += THREADS) {
        int unit = at.rank * p.width + i % p.width, r = i / p.width;
        own_h[i] = unit < n ? initial[unit] : 0.0f;
        own_c[i] = KIND == LSTM && unit < n ? initial[n + unit] : 0.0f;
        sums[i] = 0.0f;
        if (KIND == LSTM) sums[pairs + i] = 0.0f;
        if (before && unit < n && r < at.rows) {
            float *slot = before + (long long)(at.first + r) * state;
            slot[unit] = own_h[i];
            if (KIND == LSTM) slot[n + unit] = own_c[i];
        }
    }
    if (p.clustered) meet_cluster();
    SYNC_BLOCK();

    const int tokens = at.rows > 0 ? length[0] : 0, tiles = (at.rows + TILE - 1) / TILE;
    int turn = 0;
    for (int t = 0; t < tokens; t++) {
        float *now = h + (t % 2) * buffer, *next = h + ((t + 1) % 2) * buffer;
        at.exchange = exchange + (t % 2) * buffer;
        const int here = offset[t], then = offset[t + 1];
        for (int tile = 0; tile < tiles; tile++, turn++) {
            const int r = tile * TILE + r0;
            const bool runs = real && r < at.rows && length[r] > t;
            float a[G];
            const float *x = runs ? table + (long long)token[here + at.first + r] * G * n + j : nullptr;
#pragma unroll
            for (int g = 0; g < G; g++) a[g] = runs ? x[g * n] : 0.0f;
            float sum[TILE][FIRST_COUNT];
            product<0, FIRST_COUNT, G, K, false>(w, now + tile * TILE * p.padded + at.slice * K, p.padded, 0, sum);
            float *mine = partial + (turn % 2) * THREADS * TILE * G;
            put<FIRST_COUNT>(p, at, mine, sum);
            SYNC_BLOCK();
            if (!finishes || r >= p.group_rows) continue;
            float pre[G], keep[SAVED];
#pragma unroll
            for (int g = 0; g < FIRST_COUNT; g++) pre[g] = gather<FIRST_COUNT>(p, mine, r0, g, u) + b_hh[g];
#pragma unroll
            for (int g = 0; g < G; g++) a[g] += b_ih[g];
            const int pair = r * p.width + u;
            if constexpr (KIND == GRU_BEFORE) {
                float reset_gate = logistic(pre[0] + a[0]);
                float kept = reset_gate * own_h[pair];
                own_c[pair] = logistic(pre[1] + a[1]);
                sums[pairs + pair] = a[2];
                if (runs && gates) {
                    float *slot = gates + (long long)(here + at.first + r) * SAVED * n + j;
                    slot[0] = reset_gate;
                    slot[n] = own_c[pair];
                    slot[3 * n] = kept;
                }
                hand(p, at, reset, r * p.padded + j, runs ? kept : 0.0f);
            } else {
                float c = KIND == LSTM ? own_c[pair] : 0.0f;
                float new_h = step_forward<KIND>(pre, a, own_h[pair], c, keep);
                if (runs) {
                    own_h[pair] = new_h;
                    if (KIND == LSTM) own_c[pair] = c;
                    if (gates) {
                        float *slot = gates + (long long)(here + at.first + r) * SAVED * n + j;
#pragma unroll
                        for (int g = 0; g < SAVED; g++) slot[g * n] = keep[g];
                    }
                }
                hand(p, at, next, r * p.padded + j, runs ? new_h : 0.0f);
            }
            if constexpr (KIND != GRU_BEFORE) {
                if (!runs) continue;
                const bool ends = length[r] == t + 1;
                if (before && !ends) {
                    float *slot = before + (long long)(then + at.first + r) * state;
                    slot[j] = own_h[pair];
                    if (KIND == LSTM) slot[n + j] = own_c[pair];
                }
                float *out = pooled + origin[r] * pooled_row + (p.pool == EVERY ? (long long)t * state : 0);
                if (p.pool == MEAN) {
                    sums[pair] += own_h[pair];
                    if (KIND == LSTM) sums[pairs + pair] += own_c[pair];
                    if (ends) {
                        float share = 1.0f / length[r];
                        out[j] = sums[pair] * share;
                        if (KIND == LSTM) out[n + j] = sums[pairs + pair] * share;
                    }
                } else if (ends || p.pool == EVERY) {
                    out[j] = own_h[pair];
                    if (KIND == LSTM) out[n + j] = own_c[pair];
                }
            }
        }
        if constexpr (KIND == GRU_BEFORE) {
            meet(p, at);
            take(p, at, reset, buffer);
            at.exchange = exchange + 2 * p.group_rows * p.padded + (t % 2) * buffer;
            for (int tile = 0; tile < tiles; tile++, turn++) {
                const int r = tile * TILE + r0;
                const bool runs = real && r < at.rows && length[r] > t;
                float sum[TILE][1];
                product<2, 1, G, K, false>(w, reset + tile * TILE * p.padded + at.slice * K, p.padded, 0, sum);
                float *mine = partial + (turn % 2) * THREADS * TILE * G;
                put<1>(p, at, mine, sum);
                SYNC_BLOCK();
                if (!finishes || r >= p.group_rows) continue;
                const int pair = r * p.width + u;
                float candidate = tanhf(gather<1>(p, mine, r0, 0, u) + b_hh[2] + sums[pairs + pair]);
                float new_h = fmaf(own_c[pair], own_h[pair] - candidate, candidate);
                hand(p, at, next, r * p.padded + j, runs ? new_h : 0.0f);
                if (!runs) continue;
                own_h[pair] = new_h;
                if (gates) gates[(long long)(here + at.first + r) * SAVED * n + 2 * n + j] = candidate;
                const bool ends = length[r] == t + 1;
                if (before && !ends) before[(long long)(then + at.first + r) * state + j] = new_h;
                float *out = pooled + origin[r] * pooled_row + (p.pool == EVERY ? (long long)t * state : 0);
                if (p.pool == MEAN) {
                    sums[pair] += new_h;
                    if (ends) out[j] = sums[pair] * (1.0f / length[r]);
                } else if (ends || p.pool == EVERY) {
                    out[j] = new_h;
                }
            }
        }
        meet(p, at);
        take(p, at, next, buffer);
    }
}

template <int KIND, int K>
__device__ void backward(const Pass &p) {
    constexpr int G = gates_of(KIND), SAVED = saved_of(KIND);
    SHARED_MEMORY(memory);
    Place at = place(p);
    const int n = p.units, state = KIND == LSTM ? 2 * n : n;
    const int line = G * p.padded;                      // a row's gradients, gate after gate
    const int buffer = p.group_rows * line, pairs = p.group_rows * p.width;
    float *d = memory;                                  // [2, group_rows, G, padded]
    float *partial = d + 2 * buffer;                    // [2, slices, TILE, 1, width]
    float *carry_h = partial + 2 * THREADS * TILE;      // [group_rows, width]
    float *carry_c = carry_h + pairs;
    float *exchange = p.exchange + (long long)(blockIdx.x / p.blocks) * 2 * buffer;

    const float *W = p.recurrent + at.network * p.parameters;
    float w[G][K];
#pragma unroll
    for (int g = 0; g < G; g++)
#pragma unroll
        for (int i = 0; i < K; i++) {
            int k = at.slice * K + i;
            w[g][i] = at.own < n && k < n ? W[((long long)g * n + k) * n + at.own] : 0.0f;
        }
    const bool finishes = threadIdx.x < TILE * p.width;
    const int r0 = threadIdx.x / p.width, u = threadIdx.x % p.width, j = at.rank * p.width + u;
    const bool real = finishes && j < n;
    const int *offset = p.offset + (long long)at.network * (p.longest + 1);
    const int *length = p.length + (long long)at.network * p.rows + at.first;
    const int *origin = p.row + (long long)at.network * p.rows + at.first;
    const float *before = p.before + (long long)at.network * p.slots * state;
    float *gates = p.gates + (long long)at.network * p.slots * SAVED * n;
    const long long pooled_row = p.pool == EVERY ? (long long)p.longest * state : state;
    const float *gradient = p.gradient + (long long)at.network * p.rows * pooled_row;

    for (int i = threadIdx.x; i < 2 * buffer; i += THREADS) d[i] = 0.0f;
    for (int i = threadIdx.x; i < pairs; i += THREADS) carry_h[i] = carry_c[i] = 0.0f;
    if (p.clustered) meet_cluster();
    SYNC_BLOCK();

    const int tokens = at.rows > 0 ? length[0] : 0, tiles = (at.rows + TILE - 1) / TILE;
    // What the product of one step's gradients takes in: every gate, or r and u alone.
    constexpr int JOINED = KIND == GRU_BEFORE ? 2 : G;
    int turn = 0;
    for (int t = tokens - 1; t >= -1; t--) {
        float *after = d + ((t + 1) % 2) * buffer, *here = d + ((t + 2) % 2) * buffer;
        at.exchange = exchange + ((t + 2) % 2) * buffer;
        const int base = t >= 0 ? offset[t] + at.first : 0;
        for (int tile = 0; tile < tiles; tile++, turn++) {
            const int r = tile * TILE + r0;
            const bool runs = real && t >= 0 && r < at.rows && length[r] > t;
            // Asked for before the product, needed after it.
            float saved[SAVED], h = 0.0f, c = 0.0f, enters_h = 0.0f, enters_c = 0.0f;
#pragma unroll
            for (int g = 0; g < SAVED; g++) saved[g] = 0.0f;
            if (runs) {
                const float *slot = gates + (long long)(base + r) * SAVED * n + j;
#pragma unroll
                for (int g = 0; g < SAVED; g++) saved[g] = slot[g * n];
                h = before[(long long)(base + r) * state + j];
                if (KIND == LSTM) c = before[(long long)(base + r) * state + n + j];
                const float *out = gradient + origin[r] * pooled_row + (p.pool == EVERY ? (long long)t * state : 0);
                if (p.pool != LAST || length[r] == t + 1) {
                    float share = p.pool == MEAN ? 1.0f / length[r] : 1.0f;
                    enters_h = out[j] * share;
                    if (KIND == LSTM) enters_c = out[n + j] * share;
                }
            }
            float *mine = partial + (turn % 2) * THREADS * TILE;
            float sum[TILE][1];
            product<0, JOINED, G, K, true>(w, after + tile * TILE * line + at.slice * K, line, p.padded, sum);
            put<1>(p, at, mine, sum);
            SYNC_BLOCK();
            if (!finishes || r >= p.group_rows) continue;
            const int pair = r * p.width + u;
            float dh = carry_h[pair] + gather<1>(p, mine, r0, 0, u) + enters_h;
            if (t < 0) {
                carry_h[pair] = dh;
                continue;
            }
            float dc = carry_c[pair] + enters_c;
            float rest = step_backward<KIND>(saved, h, c, dh, dc);
            // A row that has not begun its way back has nothing to carry.
            carry_h[pair] = runs ? rest : 0.0f;
            if (KIND == LSTM) carry_c[pair] = runs ? dc : 0.0f;
            if (runs) {
                float *slot = gates + (long long)(base + r) * SAVED * n + j;
                if constexpr (KIND == GRU_BEFORE) {
                    slot[n] = saved[1];
                    slot[2 * n] = saved[2];
                } else {
#pragma unroll
                    for (int g = 0; g < SAVED; g++) slot[g * n] = saved[g];
                }
            }
#pragma unroll
            for (int g = KIND == GRU_BEFORE ? 1 : 0; g < G; g++)
                hand(p, at, here, r * line + g * p.padded + j, runs ? saved[g] : 0.0f);
        }
        if (t < 0) break;
        if constexpr (KIND == GRU_BEFORE) {
            meet(p, at);
            take(p, at, here, buffer);
            for (int tile = 0; tile < tiles; tile++, turn++) {
                const int r = tile * TILE + r0;
                const bool runs = real && r < at.rows && length[r] > t;
                float reset_gate = 0.0f, h = 0.0f;
                if (runs) {
                    reset_gate = gates[(long long)(base + r) * SAVED * n + j];
                    h = before[(long long)(base + r) * state + j];
                }
                float *mine = partial + (turn % 2) * THREADS * TILE;
                float sum[TILE][1];
                product<2, 1, G, K, true>(w, here + tile * TILE * line + 2 * p.padded + at.slice * K, line, p.padded, sum);
                put<1>(p, at, mine, sum);
                SYNC_BLOCK();
                if (!finishes || r >= p.group_rows) continue;
                float d_reset = gather<1>(p, mine, r0, 0, u);
                float dr = d_reset * h * (reset_gate * (1.0f - reset_gate));
                if (runs) {
                    carry_h[r * p.width + u] = fmaf(d_reset, reset_gate, carry_h[r * p.width + u]);
                    gates[(long long)(base + r) * SAVED * n + j] = dr;
                }
                hand(p, at, here, r * line + j, runs ? dr : 0.0f);
            }
        }
        meet(p, at);
        take(p, at, here, buffer);
    }
    SYNC_BLOCK();
    for (int unit = threadIdx.x; unit < p.width; unit += THREADS) {
        int mine = at.rank * p.width + unit;
        if (mine >= n) continue;
        float sum_h = 0.0f, sum_c = 0.0f;
        for (int r = 0; r < at.rows; r++) {
            sum_h += carry_h[r * p.width + unit];
            sum_c += carry_c[r * p.width + unit];
        }
        long long all = (p.rows + p.group_rows - 1) / p.group_rows;
        long long group = at.network * all + at.first / p.group_rows;
        p.initial_gradient[group * state + mine] = sum_h;
        if (KIND == LSTM) p.initial_gradient[group * state + n + mine] = sum_c;
    }
    if (p.clustered) meet_cluster();
}

}  // namespace

#define KERNELS(name, KIND, K)                                                                     \
    extern "C" __global__ void __launch_bounds__(THREADS, 1) forward_##name##_##K(Pass p) {        \
        forward<KIND, K>(p);                                                                       \
    }                                                                                              \
    extern "C" __global__ void __launch_bounds__(THREADS, 1) backward_##name##_##K(Pass p) {       \
        backward<KIND, K>(p);                                                                      \
    }
#define CELLS(K)                                                                                   \
    KERNELS(vanilla, VANILLA, K)                                                                   \
    KERNELS(relu, RELU, K)                                                                         \
    KERNELS(linear, LINEAR, K)                                                                     \
    KERNELS(ugrnn, UGRNN, K)                                                                       \
    KERNELS(gru, GRU, K)                                                                           \
    KERNELS(gru_before, GRU_BEFORE, K)                                                             \
    KERNELS(lstm, LSTM, K)
CELLS(4)
CELLS(8)
CELLS(16)
