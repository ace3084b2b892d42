// A whole sequence in one launch, the recurrent weights in registers from the first token to the last.
//
// A *group* of blocks carries some rows through all tokens. Each block owns W units and holds their part
// of the recurrent weights, spread over its threads. At each token every thread multiplies its weights
// with its slice of every row, a tile of rows at a time; the slices are added in a fixed order; then one
// thread a unit and row applies the equations, and the new numbers go to every block of the group: into
// its shared memory (a cluster), or through global memory where a cluster is too small. No sum depends
// on who comes first: equal bits each run.
//
// What the threads hold. Forward, a lane owns a unit and K numbers of the state for every gate: a number
// read from shared memory meets G weights. On the way back a lane owns four units and K/4 numbers of
// every gate's gradient: a number meets four weights. Reading shared memory, not multiplying, would
// bind otherwise. With rounded operands warps hold fragments for the tensor cores instead (matrix.cuh).
//
// Work a token and row: G·n² multiply-adds, n numbers exchanged (G·n on the way back); one meeting of
// the group (two for the GRU that resets before the product). Between meetings nobody waits for global
// memory: what is read is asked for one step ahead, and what is written for later is written after the
// exchange.
#pragma once
#include "matrix.cuh"

namespace {

// Where this block and thread stand.
struct Place {
    int network, group, rank, first, rows;  // first row of the group, and how many it really has
    int unit, slice;                        // this lane's unit in the block, and its slice
    unsigned turns;                         // meetings so far
    float *exchange;                        // where blocks meet in global memory
    unsigned *arrivals;
};

template <int W>
__device__ Place place(const Pass &p) {
    Place at;
    int team = blockIdx.x / p.blocks;
    at.rank = blockIdx.x % p.blocks;
    at.network = p.first_network + team / p.groups;
    at.group = team % p.groups;
    at.first = p.first_row + at.group * p.group_rows;
    at.rows = min(p.group_rows, p.rows - at.first);
    at.unit = threadIdx.x % W;
    at.slice = threadIdx.x / W;
    at.turns = 0;
    at.arrivals = p.arrivals + team;
    return at;
}

// The first meeting of a launch: everyone's shared memory is as it must be.
__device__ inline void begin(const Pass &p) {
    SYNC_BLOCK();
    if (!p.clustered) return;
    arrive_cluster();
    wait_cluster();
}

// Hands `x` to every block of the group: at `index` of `buffer`, or of the exchange.
__device__ inline void hand(const Pass &p, const Place &at, float *buffer, int index, float x) {
    if (p.clustered) {
#pragma unroll 4
        for (int rank = 0; rank < p.blocks; rank++) of_block(buffer, rank)[index] = x;
    } else {
        at.exchange[index] = x;
    }
}

// Everything of this block is handed over.
__device__ inline void arrive(const Pass &p, Place &at) {
    if (p.clustered) {
        arrive_cluster();
    } else {
        arrive_global(at.arrivals);
    }
}

// After this, `buffer` holds what everyone handed over: `size` numbers of it in global memory.
__device__ inline void wait(const Pass &p, Place &at, float *buffer, int size) {
    at.turns++;
    if (p.clustered) {
        wait_cluster();
        return;
    }
    wait_global(at.arrivals, at.turns * p.blocks);
    for (int i = 4 * threadIdx.x; i < size; i += 16 * THREADS) {
        float4 x[4];
#pragma unroll
        for (int k = 0; k < 4; k++) {
            int from = i + k * 4 * THREADS;
            if (from < size) x[k] = fresh(at.exchange + from);
        }
#pragma unroll
        for (int k = 0; k < 4; k++) {
            int to = i + k * 4 * THREADS;
            if (to < size) *(float4 *)(buffer + to) = x[k];
        }
    }
    SYNC_BLOCK();
}

// A thread's weights, by what a product takes: numbers, or fragments.
template <int PRECISION, int G, int K>
struct Held {
    using Forward = unsigned[G][steps_of(PRECISION, K)][4];
    using Backward = Forward;
};
template <int G, int K>
struct Held<EXACT, G, K> {
    using Forward = float[G][K];
    using Backward = float[G][K / 4][4];
};

// Numbers between two threads' parts of one sum, and between two rows, in `partial`.
template <int PRECISION, int COUNT, int W>
struct Partial {
    static constexpr int ROW = COUNT * W + (PRECISION == EXACT ? 0 : 4), PART = rows_of(PRECISION) * ROW;
};

// The product of COUNT gates from FIRST on with a tile of rows whose states begin at `x`, in parts:
// `partial` [slices, rows, COUNT, W].
template <int PRECISION, int FIRST, int COUNT, int G, int K, int W>
__device__ inline void forward_product(const Pass &p, const Place &at, const typename Held<PRECISION, G, K>::Forward &w,
                                       const float *x, float *partial) {
    using At = Partial<PRECISION, COUNT, W>;
    if constexpr (PRECISION == EXACT) {
        float sum[TILE][COUNT];
#pragma unroll
        for (int r = 0; r < TILE; r++)
#pragma unroll
            for (int g = 0; g < COUNT; g++) sum[r][g] = 0.0f;
        const float *mine = x + at.slice * K;
#pragma unroll
        for (int i = 0; i < K; i += 4) {
#pragma unroll
            for (int r = 0; r < TILE; r++) {
                float4 v = *(const float4 *)(mine + r * p.padded + i);
#pragma unroll
                for (int g = 0; g < COUNT; g++) {
                    sum[r][g] = fmaf(w[FIRST + g][i], v.x, sum[r][g]);
                    sum[r][g] = fmaf(w[FIRST + g][i + 1], v.y, sum[r][g]);
                    sum[r][g] = fmaf(w[FIRST + g][i + 2], v.z, sum[r][g]);
                    sum[r][g] = fmaf(w[FIRST + g][i + 3], v.w, sum[r][g]);
                }
            }
        }
#pragma unroll
        for (int r = 0; r < TILE; r++)
#pragma unroll
            for (int g = 0; g < COUNT; g++) partial[at.slice * At::PART + r * At::ROW + g * W + at.unit] = sum[r][g];
    } else {
        const Warp<K, W> warp;
        unsigned b[steps_of(PRECISION, K)][2];
        take<PRECISION, K>(b, x + warp.row * (p.padded + spare_of(PRECISION)) + warp.number());
#pragma unroll
        for (int g = 0; g < COUNT; g++) {
            float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
            multiply<PRECISION>(sum, w[FIRST + g], b);
            put<K, W>(sum, partial, At::ROW, g * W + warp.unit());
        }
    }
}

// Pre-activations of COUNT gates from FIRST on, of a tile of rows whose states begin at `x`: the product, and
// the slices' sums with the biases and this thread's numbers `a` of the table. To `pre`
// [rows, G + 1, W]; the GRU's last row is its candidate's input side, which the reset gate leaves alone.
// `partial` is another one at each call in turn: one synchronisation a tile is enough then.
template <int PRECISION, int KIND, int FIRST, int COUNT, int G, int K, int W>
__device__ inline void forward_tile(const Pass &p, const Place &at, const typename Held<PRECISION, G, K>::Forward &w,
                                    const float *x, float *partial, float *pre, const float *bias,
                                    const float (&a)[rows_of(PRECISION) / TILE]) {
    constexpr int OUTPUTS = TILE * COUNT * W, SLICES = (PRECISION == EXACT ? THREADS : 256) / W;
    using At = Partial<PRECISION, COUNT, W>;
    forward_product<PRECISION, FIRST, COUNT, G, K, W>(p, at, w, x, partial);
    SYNC_BLOCK();
    const int o = threadIdx.x;
    if (o < OUTPUTS) {
        const int g = FIRST + o / W % COUNT, u = o % W;
#pragma unroll
        for (int q = 0; q < rows_of(PRECISION) / TILE; q++) {
            const int r = q * TILE + o / (COUNT * W);
            const float *from = partial + r * At::ROW + o % (COUNT * W);
            float part[4] = {0.0f, 0.0f, 0.0f, 0.0f};
#pragma unroll 4
            for (int s = 0; s < SLICES; s += 4) {
#pragma unroll
                for (int i = 0; i < 4; i++) part[i] += from[(s + i) * At::PART];
            }
            float recurrent = (part[0] + part[1]) + (part[2] + part[3]) + bias[(G + g) * W + u];
            float input = a[q] + bias[g * W + u];
            float *to = pre + (r * (G + 1) + g) * W + u;
            if (gating(KIND) == GRU && g == 2) {
                to[0] = recurrent;
                to[W] = input;
            } else {
                to[0] = recurrent + input;
            }
        }
    }
}

// Numbers of shared memory: see `shared` in ops/cuda/plan.rs, which must agree.
template <int PRECISION, int KIND, int K, int W>
__device__ void forward(const Pass &p) {
    constexpr int G = gates_of(KIND), SAVED = saved_of(KIND), ROWS = rows_of(PRECISION), TURNS = ROWS / TILE;
    // What one product computes: every gate, or r and u before c.
    constexpr int COUNT = gating(KIND) == GRU_BEFORE ? 2 : G;
    constexpr int PARTIAL = (PRECISION == EXACT ? THREADS : 256) / W * Partial<PRECISION, G, W>::PART;
    SHARED_MEMORY(memory);
    Place at = place<W>(p);
    const int n = p.units, state = gating(KIND) == LSTM ? 2 * n : n;
    const int pitch = p.padded + spare_of(PRECISION), buffer = p.group_rows * pitch, pairs = p.group_rows * W;
    // Through global memory, what is read and what is written are not the same array anyway.
    const int other = p.clustered ? buffer : 0;
    float *h = memory;                                                 // [1 or 2, group_rows, pitch]
    float *reset = h + buffer + other;                                     // [group_rows, pitch], GRU_BEFORE
    float *partial = reset + (gating(KIND) == GRU_BEFORE ? buffer : 0);            // [2, slices, rows of a tile, G, W]
    float *pre = partial + 2 * PARTIAL;                                    // [group_rows, G + 1, W]
    float *bias = pre + p.group_rows * (G + 1) * W;                        // [2, G, W]
    float *own_h = bias + 2 * G * W;                                       // [group_rows, W]
    float *own_c = own_h + pairs;                                          // LSTM's c; GRU_BEFORE's u
    float *sums = own_c + pairs;                                           // [2, group_rows, W]: the means
    int *length = (int *)(sums + 2 * pairs), *origin = length + p.group_rows;
    float *exchange = p.exchange + (long long)(blockIdx.x / p.blocks) * 2 * p.group_rows *
                                       (G * p.padded + spare_of(PRECISION));

    const long long shift = at.network * p.parameters;
    typename Held<PRECISION, G, K>::Forward w;
    auto weight = [&](int g, int unit, int k) {
        const int own = at.rank * W + unit;
        return own < n && k < n ? p.recurrent[shift + ((long long)g * n + own) * n + k] : 0.0f;
    };
    if constexpr (PRECISION == EXACT) {
#pragma unroll
        for (int g = 0; g < G; g++)
#pragma unroll
            for (int i = 0; i < K; i++) w[g][i] = weight(g, at.unit, at.slice * K + i);
    } else {
        hold<PRECISION, G, K, W>(w, weight);
    }
    for (int i = threadIdx.x; i < G * W; i += THREADS) {
        int unit = at.rank * W + i % W, g = i / W;
        bias[i] = unit < n ? p.input_bias[shift + g * n + unit] : 0.0f;
        bias[G * W + i] = unit < n ? p.recurrent_bias[shift + g * n + unit] : 0.0f;
    }
    for (int r = threadIdx.x; r < p.group_rows; r += THREADS) {
        long long from = (long long)at.network * p.rows + at.first + r;
        length[r] = r < at.rows ? p.length[from] : 0;
        origin[r] = r < at.rows ? p.row[from] : 0;
    }
    const int *token = p.token + (long long)at.network * p.longest * p.rows + at.first;
    const int *offset = p.offset + (long long)at.network * (p.longest + 1);
    const float *table = p.table + (long long)at.network * p.distinct * G * n;
    const float *initial = p.initial + (long long)at.network * state;
    float *before = p.before ? p.before + ((long long)at.network * p.slots + at.first) * state : nullptr;
    float *gates = p.gates ? p.gates + ((long long)at.network * p.slots + at.first) * SAVED * n : nullptr;
    const long long pooled_row = p.pool == EVERY ? (long long)p.longest * state : state;
    float *pooled = p.pooled + (long long)at.network * p.rows * pooled_row;

    for (int i = threadIdx.x; i < buffer + other + (gating(KIND) == GRU_BEFORE ? buffer : 0); i += THREADS) {
        int k = i % pitch;
        h[i] = i < buffer && k < n ? rounded<PRECISION>(initial[k]) : 0.0f;
    }
    for (int i = threadIdx.x; i < pairs; i += THREADS) {
        int unit = at.rank * W + i % W, r = i / W;
        own_h[i] = unit < n ? initial[unit] : 0.0f;
        own_c[i] = gating(KIND) == LSTM && unit < n ? initial[n + unit] : 0.0f;
        sums[i] = sums[pairs + i] = 0.0f;
        if (before && unit < n && r < at.rows && p.length[(long long)at.network * p.rows + at.first + r] > 0) {
            before[(long long)r * state + unit] = own_h[i];
            if (gating(KIND) == LSTM) before[(long long)r * state + n + unit] = own_c[i];
        }
    }
    begin(p);

    const int tokens = at.rows > 0 ? length[0] : 0, tiles = (at.rows + ROWS - 1) / ROWS;
    // This thread adds up row `sum_r` of a tile (and TILE rows on), gate `sum_g`, and finishes rows from `r0`
    // on; unit `u`.
    const int u = threadIdx.x % W, j = at.rank * W + u, r0 = threadIdx.x / W;
    const int sum_r = threadIdx.x / (COUNT * W), sum_g = threadIdx.x / W % COUNT;
    const bool adds = threadIdx.x < TILE * COUNT * W && j < n;
    // The table is read one turn ahead, and the token's id two: their latencies follow each other.
    auto id_of = [&](int t, int tile, int q) {
        const int r = tile * ROWS + q * TILE + sum_r;
        return adds && r < at.rows && t < tokens ? token[(long long)t * p.rows + r] : -1;
    };
    auto entry = [&](int id, int g) { return id < 0 ? 0.0f : table[((long long)id * G + g) * n + j]; };
    auto advance = [&](int &t, int &tile) {
        if (++tile == tiles) tile = 0, t++;
    };
    int ahead_t = 0, ahead_tile = 0;
    float a_next[TURNS];
    int id_next[TURNS];
#pragma unroll
    for (int q = 0; q < TURNS; q++) a_next[q] = tiles ? entry(id_of(0, 0, q), sum_g) : 0.0f;
    if (tiles) advance(ahead_t, ahead_tile);
#pragma unroll
    for (int q = 0; q < TURNS; q++) id_next[q] = tiles ? id_of(ahead_t, ahead_tile, q) : -1;
    int here = offset[0], then = offset[min(1, p.longest)], later = offset[min(2, p.longest)];

    // What this thread writes once the others need not wait for it.
    float keep[SAVED], kept_h = 0.0f, kept_c = 0.0f;
    int kept_row = -1;
    auto write = [&](int t) {
        if (kept_row < 0) return;
        const int r = kept_row, pair = r * W + u;
        kept_row = -1;
        if (gates) {
            float *slot = gates + ((long long)here + r) * SAVED * n + j;
#pragma unroll
            for (int g = 0; g < SAVED; g++) slot[g * n] = keep[g];
        }
        const bool ends = length[r] == t + 1;
        if (before && !ends) {
            float *slot = before + ((long long)then + r) * state;
            slot[j] = kept_h;
            if (gating(KIND) == LSTM) slot[n + j] = kept_c;
        }
        float *out = pooled + origin[r] * pooled_row + (p.pool == EVERY ? (long long)t * state : 0);
        if (p.pool == MEAN) {
            sums[pair] += kept_h;
            if (gating(KIND) == LSTM) sums[pairs + pair] += kept_c;
            if (ends) {
                float share = 1.0f / length[r];
                out[j] = sums[pair] * share;
                if (gating(KIND) == LSTM) out[n + j] = sums[pairs + pair] * share;
            }
        } else if (ends || p.pool == EVERY) {
            out[j] = kept_h;
            if (gating(KIND) == LSTM) out[n + j] = kept_c;
        }
    };

    int turn = 0;
    for (int t = 0; t < tokens; t++) {
        float *now = h + (t % 2) * other, *next = h + ((t + 1) % 2) * other;
        at.exchange = exchange + (t % 2) * buffer;
        for (int tile = 0; tile < tiles; tile++, turn++) {
            float a[TURNS];
#pragma unroll
            for (int q = 0; q < TURNS; q++) a[q] = a_next[q], a_next[q] = entry(id_next[q], sum_g);
            advance(ahead_t, ahead_tile);
#pragma unroll
            for (int q = 0; q < TURNS; q++) id_next[q] = id_of(ahead_t, ahead_tile, q);
            forward_tile<PRECISION, KIND, 0, COUNT, G, K, W>(p, at, w, now + tile * ROWS * pitch,
                                                             partial + turn % 2 * PARTIAL,
                                                             pre + tile * ROWS * (G + 1) * W, bias, a);
        }
        SYNC_BLOCK();
        for (int r = r0; r < tiles * ROWS; r += THREADS / W) {
            write(t);
            const int pair = r * W + u;
            const bool runs = j < n && length[r] > t;
            const float *mine = pre + r * (G + 1) * W + u;
            if constexpr (gating(KIND) == GRU_BEFORE) {
                float reset_gate = logistic(mine[0]), kept = reset_gate * own_h[pair];
                own_c[pair] = logistic(mine[W]);
                if (runs && gates) {
                    float *slot = gates + ((long long)here + r) * SAVED * n + j;
                    slot[0] = reset_gate;
                    slot[n] = own_c[pair];
                    slot[3 * n] = kept;
                }
                hand(p, at, reset, r * pitch + j, runs ? rounded<PRECISION>(kept) : 0.0f);
            } else {
                float gate[G], input[G];
#pragma unroll
                for (int g = 0; g < G; g++) gate[g] = mine[g * W], input[g] = 0.0f;
                if constexpr (gating(KIND) == GRU) input[2] = mine[3 * W];
                float c = gating(KIND) == LSTM ? own_c[pair] : 0.0f;
                float new_h = step_forward<KIND>(gate, input, own_h[pair], c, keep);
                hand(p, at, next, r * pitch + j, runs ? rounded<PRECISION>(new_h) : 0.0f);
                if (runs) {
                    own_h[pair] = kept_h = new_h;
                    if (gating(KIND) == LSTM) own_c[pair] = kept_c = c;
                    kept_row = r;
                }
            }
        }
        if constexpr (gating(KIND) == GRU_BEFORE) {
            arrive(p, at);
            wait(p, at, reset, buffer);
            at.exchange = exchange + 2 * buffer + (t % 2) * buffer;
            for (int tile = 0; tile < tiles; tile++, turn++) {
                float a[TURNS];
#pragma unroll
                for (int q = 0; q < TURNS; q++) {
                    const int add_r = tile * ROWS + q * TILE + r0;
                    const bool enters = r0 < TILE && j < n && length[add_r] > t;
                    a[q] = enters ? entry(token[(long long)t * p.rows + add_r], 2) : 0.0f;
                }
                forward_tile<PRECISION, KIND, 2, 1, G, K, W>(p, at, w, reset + tile * ROWS * pitch,
                                                             partial + turn % 2 * PARTIAL,
                                                             pre + tile * ROWS * (G + 1) * W, bias, a);
            }
            SYNC_BLOCK();
            for (int r = r0; r < tiles * ROWS; r += THREADS / W) {
                const int pair = r * W + u;
                const bool runs = j < n && length[r] > t;
                float candidate = candidate_of<KIND>(pre[(r * (G + 1) + 2) * W + u]);
                float new_h = fmaf(own_c[pair], own_h[pair] - candidate, candidate);
                hand(p, at, next, r * pitch + j, runs ? rounded<PRECISION>(new_h) : 0.0f);
                if (!runs) continue;
                // `keep` is whole only now, and so is what `write` writes.
                keep[0] = gates ? gates[((long long)here + r) * SAVED * n + j] : 0.0f;
                keep[3] = keep[0] * own_h[pair];
                keep[1] = own_c[pair];
                keep[2] = candidate;
                own_h[pair] = kept_h = new_h;
                kept_row = r;
                write(t);
            }
        }
        arrive(p, at);
        write(t);
        here = then, then = later, later = offset[min(t + 3, p.longest)];
        wait(p, at, next, buffer);
    }
}

// Parts that a thread's sums on the way back are left in, by `backward_tile`.
template <int PRECISION, int W>
__host__ __device__ constexpr int parts_of() { return PRECISION == EXACT ? THREADS / (TILE * W) : 1; }

// Sums over this thread's part of the gradients at `x`, COUNT gates from FIRST on, for four units; the
// slices' sums, in PARTS parts, in `total` [PARTS, rows, W]. A slice is cut in four again.
template <int PRECISION, int FIRST, int COUNT, int G, int K, int W>
__device__ inline void backward_tile(const Pass &p, const Place &at, const typename Held<PRECISION, G, K>::Backward &w,
                                     const float *x, int line, float *partial, float *total) {
    if constexpr (PRECISION != EXACT) {
        const Warp<K, W> warp;
        // Two sums, so that one product need not wait for the last.
        float sum[2][4] = {};
#pragma unroll
        for (int g = FIRST; g < FIRST + COUNT; g++) {
            unsigned b[steps_of(PRECISION, K)][2];
            take<PRECISION, K>(b, x + warp.row * line + g * p.padded + warp.number());
            multiply<PRECISION>(sum[g % 2], w[g], b);
        }
#pragma unroll
        for (int i = 0; i < 4; i++) sum[0][i] += sum[1][i];
        using At = Partial<PRECISION, 1, W>;
        put<K, W>(sum[0], partial, At::ROW, warp.unit());
        SYNC_BLOCK();
        const int o = threadIdx.x;
        if (o < rows_of(PRECISION) * W) {
            const float *from = partial + o / W * At::ROW + o % W;
            float add[4] = {0.0f, 0.0f, 0.0f, 0.0f};
#pragma unroll
            for (int s = 0; s < 256 / W; s++) add[s % 4] += from[s * At::PART];
            total[o] = (add[0] + add[1]) + (add[2] + add[3]);
        }
        return;
    } else {
        constexpr int E = K / 4, FOURS = W / 4, OUTPUTS = TILE * W;
        const int four = at.unit % FOURS, part = at.unit / FOURS;
        float sum[TILE][4];
#pragma unroll
        for (int r = 0; r < TILE; r++)
#pragma unroll
            for (int k = 0; k < 4; k++) sum[r][k] = 0.0f;
        const float *mine = x + at.slice * K + part * E;
#pragma unroll
        for (int g = FIRST; g < FIRST + COUNT; g++) {
#pragma unroll
            for (int r = 0; r < TILE; r++) {
                const float *from = mine + r * line + g * p.padded;
                float v[E];
                if constexpr (E == 4) {
                    float4 four_of = *(const float4 *)from;
                    v[0] = four_of.x, v[1] = four_of.y, v[2] = four_of.z, v[3] = four_of.w;
                } else if constexpr (E == 2) {
                    float2 two_of = *(const float2 *)from;
                    v[0] = two_of.x, v[1] = two_of.y;
                } else {
                    v[0] = *from;
                }
#pragma unroll
                for (int e = 0; e < E; e++)
#pragma unroll
                    for (int k = 0; k < 4; k++) sum[r][k] = fmaf(w[g][e][k], v[e], sum[r][k]);
            }
        }
        // [slices · 4, TILE, W]
#pragma unroll
        for (int r = 0; r < TILE; r++) {
            float4 all = {sum[r][0], sum[r][1], sum[r][2], sum[r][3]};
            *(float4 *)(partial + (at.slice * 4 + part) * OUTPUTS + r * W + 4 * four) = all;
        }
        SYNC_BLOCK();
        const int o = threadIdx.x % OUTPUTS, q = threadIdx.x / OUTPUTS;
        float add[4] = {0.0f, 0.0f, 0.0f, 0.0f};
#pragma unroll
        for (int s = 0; s < 16; s += 4) {
#pragma unroll
            for (int i = 0; i < 4; i++) add[i] += partial[(q * 16 + s + i) * OUTPUTS + o];
        }
        total[threadIdx.x] = (add[0] + add[1]) + (add[2] + add[3]);
    }
}

template <int PRECISION, int KIND, int K, int W>
__device__ void backward(const Pass &p) {
    constexpr int G = gates_of(KIND), SAVED = saved_of(KIND), ROWS = rows_of(PRECISION);
    constexpr int PARTIAL = PRECISION == EXACT ? 4 * THREADS * TILE : 256 / W * Partial<PRECISION, 1, W>::PART;
    // A tile's sums, and the parts they are left in.
    constexpr int PARTS = parts_of<PRECISION, W>(), TOTAL = PARTS * ROWS * W;
    SHARED_MEMORY(memory);
    Place at = place<W>(p);
    const int n = p.units, state = gating(KIND) == LSTM ? 2 * n : n;
    const int line = G * p.padded + spare_of(PRECISION);  // a row's gradients, gate after gate
    const int buffer = p.group_rows * line, pairs = p.group_rows * W;
    const int other = p.clustered ? buffer : 0;
    float *d = memory;                                     // [1 or 2, group_rows, line]
    float *partial = d + buffer + other;                       // [2, slices · 4, rows of a tile, W]
    float *total = partial + 2 * PARTIAL;                      // [tiles, PARTS, rows of a tile, W]
    float *carry_h = total + p.group_rows / ROWS * TOTAL;    // [group_rows, W]
    float *carry_c = carry_h + pairs;
    int *length = (int *)(carry_c + pairs), *origin = length + p.group_rows;
    float *exchange = p.exchange + (long long)(blockIdx.x / p.blocks) * 2 * buffer;

    typename Held<PRECISION, G, K>::Backward w;
    auto weight = [&](int g, int unit, int k) {
        const int own = at.rank * W + unit;
        return own < n && k < n ? p.recurrent[at.network * p.parameters + ((long long)g * n + k) * n + own] : 0.0f;
    };
    if constexpr (PRECISION == EXACT) {
        const int first = 4 * (at.unit % (W / 4)), part = at.slice * K + at.unit / (W / 4) * (K / 4);
#pragma unroll
        for (int g = 0; g < G; g++)
#pragma unroll
            for (int e = 0; e < K / 4; e++)
#pragma unroll
                for (int i = 0; i < 4; i++) w[g][e][i] = weight(g, first + i, part + e);
    } else {
        hold<PRECISION, G, K, W>(w, weight);
    }
    for (int r = threadIdx.x; r < p.group_rows; r += THREADS) {
        long long from = (long long)at.network * p.rows + at.first + r;
        length[r] = r < at.rows ? p.length[from] : 0;
        origin[r] = r < at.rows ? p.row[from] : 0;
    }
    for (int i = threadIdx.x; i < buffer + other; i += THREADS) d[i] = 0.0f;
    for (int i = threadIdx.x; i < pairs; i += THREADS) carry_h[i] = carry_c[i] = 0.0f;
    const int *offset = p.offset + (long long)at.network * (p.longest + 1);
    const float *before = p.before + ((long long)at.network * p.slots + at.first) * state;
    float *gates = p.gates + ((long long)at.network * p.slots + at.first) * SAVED * n;
    const long long pooled_row = p.pool == EVERY ? (long long)p.longest * state : state;
    const float *gradient = p.gradient + (long long)at.network * p.rows * pooled_row;
    begin(p);

    const int tokens = at.rows > 0 ? length[0] : 0, tiles = (at.rows + ROWS - 1) / ROWS;
    const int u = threadIdx.x % W, j = at.rank * W + u, r0 = threadIdx.x / W;
    auto sum_of = [&](int r) {
        const float *from = total + r / ROWS * TOTAL + r % ROWS * W + u;
        float sum = 0.0f;
#pragma unroll
        for (int q = 0; q < PARTS; q++) sum += from[q * ROWS * W];
        return sum;
    };
    // What the product of one step's gradients takes in: every gate, or r and u alone.
    constexpr int JOINED = gating(KIND) == GRU_BEFORE ? 2 : G;
    // What a row's unit needs of token t; asked for before the products, needed after them.
    struct Needs {
        float saved[SAVED], h, c, enters_h, enters_c;
        bool runs;
    };
    int here = offset[max(tokens - 1, 0)], sooner = offset[max(tokens - 2, 0)];
    auto ask = [&](Needs &x, int r, int t) {
        x.runs = r < tiles * ROWS && j < n && t >= 0 && length[r] > t;
        x.h = x.c = x.enters_h = x.enters_c = 0.0f;
#pragma unroll
        for (int g = 0; g < SAVED; g++) x.saved[g] = 0.0f;
        if (!x.runs) return;
        const float *slot = gates + ((long long)here + r) * SAVED * n + j;
#pragma unroll
        for (int g = 0; g < SAVED; g++) x.saved[g] = slot[g * n];
        x.h = before[((long long)here + r) * state + j];
        if (gating(KIND) == LSTM) x.c = before[((long long)here + r) * state + n + j];
        if (p.pool != LAST || length[r] == t + 1) {
            const float *out = gradient + origin[r] * pooled_row + (p.pool == EVERY ? (long long)t * state : 0);
            float share = p.pool == MEAN ? 1.0f / length[r] : 1.0f;
            x.enters_h = out[j] * share;
            if (gating(KIND) == LSTM) x.enters_c = out[n + j] * share;
        }
    };
    float kept[SAVED];
    int kept_row = -1;
    auto write = [&]() {
        if (kept_row < 0) return;
        float *slot = gates + ((long long)here + kept_row) * SAVED * n + j;
        kept_row = -1;
#pragma unroll
        for (int g = 0; g < SAVED; g++) {
            // The GRU that resets before: r is still needed, and r∘h stays.
            if (gating(KIND) == GRU_BEFORE && (g == 0 || g == 3)) continue;
            slot[g * n] = kept[g];
        }
    };
    int turn = 0;
    for (int t = tokens - 1; t >= -1; t--) {
        float *after = d + ((t + 1) % 2) * other, *to = d + ((t + 2) % 2) * other;
        at.exchange = exchange + ((t + 2) % 2) * buffer;
        Needs first;
        ask(first, r0, t);
        for (int tile = 0; tile < tiles; tile++, turn++) {
            backward_tile<PRECISION, 0, JOINED, G, K, W>(p, at, w, after + tile * ROWS * line, line,
                                                         partial + turn % 2 * PARTIAL, total + tile * TOTAL);
        }
        SYNC_BLOCK();
        for (int r = r0; r < tiles * ROWS; r += THREADS / W) {
            write();
            if (r != r0) ask(first, r, t);
            const int pair = r * W + u;
            float dh = carry_h[pair] + sum_of(r) + first.enters_h;
            if (t < 0) {
                carry_h[pair] = dh;
                continue;
            }
            float dc = carry_c[pair] + first.enters_c;
            float rest = step_backward<KIND>(first.saved, first.h, first.c, dh, dc);
#pragma unroll
            for (int g = gating(KIND) == GRU_BEFORE ? 1 : 0; g < G; g++)
                hand(p, at, to, r * line + g * p.padded + j, first.runs ? rounded<PRECISION>(first.saved[g]) : 0.0f);
            // A row that has not begun its way back has nothing to carry.
            carry_h[pair] = first.runs ? rest : 0.0f;
            if (gating(KIND) == LSTM) carry_c[pair] = first.runs ? dc : 0.0f;
            if (first.runs) {
                kept_row = r;
#pragma unroll
                for (int g = 0; g < SAVED; g++) kept[g] = first.saved[g];
            }
        }
        if (t < 0) break;
        if constexpr (gating(KIND) == GRU_BEFORE) {
            arrive(p, at);
            write();
            wait(p, at, to, buffer);
            for (int tile = 0; tile < tiles; tile++, turn++) {
                backward_tile<PRECISION, 2, 1, G, K, W>(p, at, w, to + tile * ROWS * line, line,
                                                        partial + turn % 2 * PARTIAL, total + tile * TOTAL);
            }
            SYNC_BLOCK();
            for (int r = r0; r < tiles * ROWS; r += THREADS / W) {
                const bool runs = j < n && length[r] > t;
                float d_reset = sum_of(r), dr = 0.0f;
                if (runs) {
                    float *reset_gate = gates + ((long long)here + r) * SAVED * n + j;
                    float h = before[((long long)here + r) * state + j], gate = *reset_gate;
                    dr = d_reset * h * (gate * (1.0f - gate));
                    carry_h[r * W + u] = fmaf(d_reset, gate, carry_h[r * W + u]);
                    *reset_gate = dr;
                }
                hand(p, at, to, r * line + j, rounded<PRECISION>(dr));
            }
        }
        arrive(p, at);
        write();
        here = sooner, sooner = offset[max(t - 2, 0)];
        wait(p, at, to, buffer);
    }
    SYNC_BLOCK();
    for (int unit = threadIdx.x; unit < W; unit += THREADS) {
        int mine = at.rank * W + unit;
        if (mine >= n) continue;
        float sum_h = 0.0f, sum_c = 0.0f;
        for (int r = 0; r < at.rows; r++) {
            sum_h += carry_h[r * W + unit];
            sum_c += carry_c[r * W + unit];
        }
        long long all = (p.rows + p.group_rows - 1) / p.group_rows;
        long long group = at.network * all + at.first / p.group_rows;
        p.initial_gradient[group * state + mine] = sum_h;
        if (gating(KIND) == LSTM) p.initial_gradient[group * state + n + mine] = sum_c;
    }
}

}  // namespace

#define KERNELS(name, PRECISION, KIND, K, W)                                                     \
    extern "C" __global__ void __launch_bounds__(THREADS, 1) forward_##name##_##K##_##W(Pass p) {  \
        forward<PRECISION, KIND, K, W>(p);                                                         \
    }                                                                                              \
    extern "C" __global__ void __launch_bounds__(THREADS, 1) backward_##name##_##K##_##W(Pass p) { \
        backward<PRECISION, KIND, K, W>(p);                                                        \
    }
