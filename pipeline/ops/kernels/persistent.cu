// A whole sequence in one launch, the recurrent weights in registers from the first token to the last.
//
// A *group* of blocks carries some rows through all tokens. Each block owns `width` units and holds
// their part of W, spread over its threads. At each token every thread multiplies its weights with its
// slice of every row, TILE rows at a time; the slices are added in a fixed order; one thread a unit and
// row applies the equations; and the new numbers go to the shared memory of every block of the group
// (a cluster), or through global memory where a cluster is too small. No sum depends on who comes
// first: equal bits each run.
//
// What the threads hold. Forward, a lane owns a unit and K numbers of the state for every gate: a number
// read from shared memory meets G weights. On the way back a lane owns four units and K/4 numbers of
// every gate's gradient: a number meets four weights. Reading shared memory, not multiplying, would
// bind otherwise.
//
// Work a token and row: G·n² multiply-adds, n numbers exchanged (G·n on the way back); one meeting of
// the group (two for the GRU that resets before the product). What goes to global memory for later is
// written between the two halves of the meeting, so that nobody waits for it.
#include "sequence.cuh"

namespace {

// Where this block and thread stand.
struct Place {
    int network, group, rank, first, rows;  // first row of the group, and how many it really has
    int unit, slice;                        // this lane's unit in the block, and its slice
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
    at.meetings = 0;
    at.exchange = p.exchange;
    at.arrivals = p.arrivals + team;
    return at;
}

__device__ inline void arrive(const Pass &p, Place &at) {
    if (p.clustered) {
        arrive_cluster();
    } else {
        arrive_global(at.arrivals);
    }
}

// After this, `buffer` of `size` numbers holds what everyone handed over.
__device__ inline void wait(const Pass &p, Place &at, float *buffer, int size) {
    if (p.clustered) {
        wait_cluster();
        return;
    }
    at.meetings += p.blocks;
    wait_global(at.arrivals, at.meetings);
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

// Hands `x` to every block of the group: at `index` of `buffer`, or of the exchange.
__device__ inline void hand(const Pass &p, const Place &at, float *buffer, int index, float x) {
    if (p.clustered) {
#pragma unroll 4
        for (int rank = 0; rank < p.blocks; rank++) of_block(buffer, rank)[index] = x;
    } else {
        at.exchange[index] = x;
    }
}

// The pre-activations of COUNT gates from FIRST on, of TILE rows whose states begin at `x`: the product,
// and the slices' sums with the biases and this thread's number `a` of the table. To `pre`
// [TILE, G + 1, width]; the GRU's last row is its candidate's input side, which the reset gate leaves alone.
template <int KIND, int FIRST, int COUNT, int G, int K>
__device__ inline void forward_stage(const Pass &p, const Place &at, const float (&w)[G][K], const float *x,
                                     float *partial, float *pre, const float *bias, float a) {
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
        for (int g = 0; g < COUNT; g++)
            partial[((at.slice * TILE + r) * COUNT + g) * p.width + at.unit] = sum[r][g];
    SYNC_BLOCK();
    const int outputs = TILE * COUNT * p.width, o = threadIdx.x;
    if (o < outputs) {
        const int slices = THREADS / p.width;
        float part[4] = {0.0f, 0.0f, 0.0f, 0.0f};
        for (int s = 0; s < slices; s += 4) {
#pragma unroll
            for (int i = 0; i < 4; i++) part[i] += partial[(s + i) * outputs + o];
        }
        const int r = o / (COUNT * p.width), g = FIRST + o / p.width % COUNT, u = o % p.width;
        float recurrent = (part[0] + part[1]) + (part[2] + part[3]) + bias[(G + g) * p.width + u];
        float input = a + bias[g * p.width + u];
        float *to = pre + (r * (G + 1) + g) * p.width + u;
        if (KIND == GRU && g == 2) {
            to[0] = recurrent;
            to[p.width] = input;
        } else {
            to[0] = recurrent + input;
        }
    }
    SYNC_BLOCK();
}

// Numbers of shared memory: see `shared` in ops/cuda/plan.rs, which must agree.
template <int KIND, int K>
__device__ void forward(const Pass &p) {
    constexpr int G = gates_of(KIND), SAVED = saved_of(KIND);
    // What one stage computes: every gate, or r and u before c.
    constexpr int COUNT = KIND == GRU_BEFORE ? 2 : G;
    SHARED_MEMORY(memory);
    Place at = place(p);
    const int n = p.units, state = KIND == LSTM ? 2 * n : n;
    const int buffer = p.group_rows * p.padded, pairs = p.group_rows * p.width;
    float *h = memory;                                           // [2, group_rows, padded]
    float *reset = h + 2 * buffer;                               // [group_rows, padded], GRU_BEFORE
    float *partial = reset + (KIND == GRU_BEFORE ? buffer : 0);  // [slices, TILE, G, width]
    float *pre = partial + THREADS * TILE * G;                   // [TILE, G + 1, width]
    float *bias = pre + TILE * (G + 1) * p.width;                // [2, G, width]
    float *own_h = bias + 2 * G * p.width;                       // [group_rows, width]
    float *own_c = own_h + pairs;                                // LSTM's c; GRU_BEFORE's u
    float *sums = own_c + pairs;                                 // [2, group_rows, width]: the means
    int *length = (int *)(sums + 2 * pairs), *origin = length + p.group_rows;
    float *exchange = p.exchange + (long long)(blockIdx.x / p.blocks) * 2 * p.group_rows * G * p.padded;

    const long long shift = at.network * p.parameters;
    float w[G][K];
    {
        const float *W = p.recurrent + shift;
        const int own = at.rank * p.width + at.unit;
#pragma unroll
        for (int g = 0; g < G; g++)
#pragma unroll
            for (int i = 0; i < K; i++) {
                int k = at.slice * K + i;
                w[g][i] = own < n && k < n ? W[((long long)g * n + own) * n + k] : 0.0f;
            }
    }
    for (int i = threadIdx.x; i < G * p.width; i += THREADS) {
        int unit = at.rank * p.width + i % p.width, g = i / p.width;
        bias[i] = unit < n ? p.input_bias[shift + g * n + unit] : 0.0f;
        bias[G * p.width + i] = unit < n ? p.recurrent_bias[shift + g * n + unit] : 0.0f;
    }
    for (int r = threadIdx.x; r < p.group_rows; r += THREADS) {
        long long from = (long long)at.network * p.rows + at.first + r;
        length[r] = r < at.rows ? p.length[from] : 0;
        origin[r] = r < at.rows ? p.row[from] : 0;
    }
    const int *token = p.token + (long long)at.network * p.slots + at.first;
    const int *offset = p.offset + (long long)at.network * (p.longest + 1);
    const float *table = p.table + (long long)at.network * p.distinct * G * n;
    const float *initial = p.initial + (long long)at.network * state;
    float *before = p.before ? p.before + ((long long)at.network * p.slots + at.first) * state : nullptr;
    float *gates = p.gates ? p.gates + ((long long)at.network * p.slots + at.first) * SAVED * n : nullptr;
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
        sums[i] = sums[pairs + i] = 0.0f;
        if (before && unit < n && r < at.rows && p.length[(long long)at.network * p.rows + at.first + r] > 0) {
            before[(long long)r * state + unit] = own_h[i];
            if (KIND == LSTM) before[(long long)r * state + n + unit] = own_c[i];
        }
    }
    SYNC_BLOCK();
    if (p.clustered) {
        arrive_cluster();
        wait_cluster();
    }

    const int tokens = at.rows > 0 ? length[0] : 0, tiles = (at.rows + TILE - 1) / TILE;
    // This thread adds up row `sum_r` of a tile, gate `sum_g`; it finishes row `r0`; both for unit `u`.
    const int u = threadIdx.x % p.width, j = at.rank * p.width + u;
    const int sum_r = threadIdx.x / (COUNT * p.width), sum_g = threadIdx.x / p.width % COUNT;
    const int r0 = threadIdx.x / p.width;
    const bool adds = threadIdx.x < TILE * COUNT * p.width && j < n, finishes = r0 < TILE;
    // The table is read one turn ahead, and the token's id two: their latencies follow each other.
    auto id_of = [&](int t, int tile) {
        const int r = tile * TILE + sum_r;
        return adds && r < at.rows && length[r] > t ? token[offset[t] + r] : -1;
    };
    auto entry = [&](int id, int g) { return id < 0 ? 0.0f : table[((long long)id * G + g) * n + j]; };
    auto advance = [&](int &t, int &tile) {
        if (++tile == tiles) tile = 0, t++;
    };
    int ahead_t = 0, ahead_tile = 0;
    float a_next = tiles ? entry(id_of(0, 0), sum_g) : 0.0f;
    if (tiles) advance(ahead_t, ahead_tile);
    int id_next = tiles ? id_of(ahead_t, ahead_tile) : -1;

    // What this thread writes once the others need not wait for it.
    float keep[SAVED], kept_h = 0.0f, kept_c = 0.0f;
    int kept_row = -1, kept_t = 0;
    auto write = [&]() {
        if (kept_row < 0) return;
        const int r = kept_row, t = kept_t, pair = r * p.width + u;
        kept_row = -1;
        if (gates) {
            float *slot = gates + ((long long)offset[t] + r) * SAVED * n + j;
#pragma unroll
            for (int g = 0; g < SAVED; g++) slot[g * n] = keep[g];
        }
        const bool ends = length[r] == t + 1;
        if (before && !ends) {
            float *slot = before + ((long long)offset[t + 1] + r) * state;
            slot[j] = kept_h;
            if (KIND == LSTM) slot[n + j] = kept_c;
        }
        float *out = pooled + origin[r] * pooled_row + (p.pool == EVERY ? (long long)t * state : 0);
        if (p.pool == MEAN) {
            sums[pair] += kept_h;
            if (KIND == LSTM) sums[pairs + pair] += kept_c;
            if (ends) {
                float share = 1.0f / length[r];
                out[j] = sums[pair] * share;
                if (KIND == LSTM) out[n + j] = sums[pairs + pair] * share;
            }
        } else if (ends || p.pool == EVERY) {
            out[j] = kept_h;
            if (KIND == LSTM) out[n + j] = kept_c;
        }
    };

    for (int t = 0; t < tokens; t++) {
        float *now = h + (t % 2) * buffer, *next = h + ((t + 1) % 2) * buffer;
        at.exchange = exchange + (t % 2) * buffer;
        for (int tile = 0; tile < tiles; tile++) {
            write();
            const float a = a_next;
            a_next = entry(id_next, sum_g);
            advance(ahead_t, ahead_tile);
            id_next = id_of(ahead_t, ahead_tile);
            forward_stage<KIND, 0, COUNT, G, K>(p, at, w, now + tile * TILE * p.padded, partial, pre, bias, a);
            const int r = tile * TILE + r0, pair = r * p.width + u;
            if (!finishes) continue;
            const bool runs = j < n && length[r] > t;
            const float *mine = pre + r0 * (G + 1) * p.width + u;
            if constexpr (KIND == GRU_BEFORE) {
                float reset_gate = logistic(mine[0]), kept = reset_gate * own_h[pair];
                own_c[pair] = logistic(mine[p.width]);
                if (runs && gates) {
                    float *slot = gates + ((long long)offset[t] + r) * SAVED * n + j;
                    slot[0] = reset_gate;
                    slot[n] = own_c[pair];
                    slot[3 * n] = kept;
                }
                hand(p, at, reset, r * p.padded + j, runs ? kept : 0.0f);
            } else {
                float gate[G], input[G];
#pragma unroll
                for (int g = 0; g < G; g++) gate[g] = mine[g * p.width], input[g] = 0.0f;
                if constexpr (KIND == GRU) input[2] = mine[3 * p.width];
                float c = KIND == LSTM ? own_c[pair] : 0.0f;
                float new_h = step_forward<KIND>(gate, input, own_h[pair], c, keep);
                hand(p, at, next, r * p.padded + j, runs ? new_h : 0.0f);
                if (runs) {
                    own_h[pair] = kept_h = new_h;
                    if (KIND == LSTM) own_c[pair] = kept_c = c;
                    kept_row = r, kept_t = t;
                }
            }
        }
        if constexpr (KIND == GRU_BEFORE) {
            arrive(p, at);
            wait(p, at, reset, buffer);
            at.exchange = exchange + 2 * buffer + (t % 2) * buffer;
            for (int tile = 0; tile < tiles; tile++) {
                const int add_r = tile * TILE + r0;
                const bool enters = finishes && j < n && length[add_r] > t;
                const float a = enters ? entry(token[offset[t] + add_r], 2) : 0.0f;
                forward_stage<KIND, 2, 1, G, K>(p, at, w, reset + tile * TILE * p.padded, partial, pre, bias, a);
                if (!finishes) continue;
                const int r = add_r, pair = r * p.width + u;
                float candidate = tanhf(pre[(r0 * (G + 1) + 2) * p.width + u]);
                float new_h = fmaf(own_c[pair], own_h[pair] - candidate, candidate);
                hand(p, at, next, r * p.padded + j, enters ? new_h : 0.0f);
                if (!enters) continue;
                // `keep` is whole only now, and so is what `write` writes.
                keep[0] = gates ? gates[((long long)offset[t] + r) * SAVED * n + j] : 0.0f;
                keep[3] = keep[0] * own_h[pair];
                keep[1] = own_c[pair];
                keep[2] = candidate;
                own_h[pair] = kept_h = new_h;
                kept_row = r, kept_t = t;
                write();
            }
        }
        arrive(p, at);
        write();
        wait(p, at, next, buffer);
    }
}

// Sums over this thread's part of the gradients at `x`, COUNT gates from FIRST on, for four units; the
// slices' sums in `total` [parts, TILE, width]. A warp's slice is cut in four again.
template <int FIRST, int COUNT, int G, int K>
__device__ inline void backward_stage(const Pass &p, const Place &at, const float (&w)[G][K / 4][4], const float *x,
                                      int line, float *partial, float *total) {
    constexpr int E = K / 4;
    const int fours = p.width / 4, four = at.unit % fours, part = at.unit / fours;
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
    // [slices · 4, TILE, width]
#pragma unroll
    for (int r = 0; r < TILE; r++) {
        float4 all = {sum[r][0], sum[r][1], sum[r][2], sum[r][3]};
        *(float4 *)(partial + ((at.slice * 4 + part) * TILE + r) * p.width + 4 * four) = all;
    }
    SYNC_BLOCK();
    const int outputs = TILE * p.width, o = threadIdx.x % outputs, q = threadIdx.x / outputs;
    float add[4] = {0.0f, 0.0f, 0.0f, 0.0f};
#pragma unroll
    for (int s = 0; s < 16; s += 4) {
#pragma unroll
        for (int i = 0; i < 4; i++) add[i] += partial[(q * 16 + s + i) * outputs + o];
    }
    total[threadIdx.x] = (add[0] + add[1]) + (add[2] + add[3]);
    SYNC_BLOCK();
}

template <int KIND, int K>
__device__ void backward(const Pass &p) {
    constexpr int G = gates_of(KIND), SAVED = saved_of(KIND);
    SHARED_MEMORY(memory);
    Place at = place(p);
    const int n = p.units, state = KIND == LSTM ? 2 * n : n;
    const int line = G * p.padded;  // a row's gradients, gate after gate
    const int buffer = p.group_rows * line, pairs = p.group_rows * p.width;
    float *d = memory;                            // [2, group_rows, G, padded]
    float *partial = d + 2 * buffer;              // [slices · 4, TILE, width]
    float *total = partial + 4 * THREADS * TILE;  // [parts, TILE, width]
    float *carry_h = total + THREADS;             // [group_rows, width]
    float *carry_c = carry_h + pairs;
    int *length = (int *)(carry_c + pairs), *origin = length + p.group_rows;
    float *exchange = p.exchange + (long long)(blockIdx.x / p.blocks) * 2 * buffer;

    float w[G][K / 4][4];
    {
        const float *W = p.recurrent + at.network * p.parameters;
        const int fours = p.width / 4, first = at.rank * p.width + 4 * (at.unit % fours);
#pragma unroll
        for (int g = 0; g < G; g++)
#pragma unroll
            for (int e = 0; e < K / 4; e++)
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    int k = at.slice * K + at.unit / fours * (K / 4) + e;
                    w[g][e][i] = first + i < n && k < n ? W[((long long)g * n + k) * n + first + i] : 0.0f;
                }
    }
    for (int r = threadIdx.x; r < p.group_rows; r += THREADS) {
        long long from = (long long)at.network * p.rows + at.first + r;
        length[r] = r < at.rows ? p.length[from] : 0;
        origin[r] = r < at.rows ? p.row[from] : 0;
    }
    for (int i = threadIdx.x; i < 2 * buffer; i += THREADS) d[i] = 0.0f;
    for (int i = threadIdx.x; i < pairs; i += THREADS) carry_h[i] = carry_c[i] = 0.0f;
    const int *offset = p.offset + (long long)at.network * (p.longest + 1);
    const float *before = p.before + ((long long)at.network * p.slots + at.first) * state;
    float *gates = p.gates + ((long long)at.network * p.slots + at.first) * SAVED * n;
    const long long pooled_row = p.pool == EVERY ? (long long)p.longest * state : state;
    const float *gradient = p.gradient + (long long)at.network * p.rows * pooled_row;
    SYNC_BLOCK();
    if (p.clustered) {
        arrive_cluster();
        wait_cluster();
    }

    const int tokens = at.rows > 0 ? length[0] : 0, tiles = (at.rows + TILE - 1) / TILE;
    const int r0 = threadIdx.x / p.width, u = threadIdx.x % p.width, j = at.rank * p.width + u;
    const bool finishes = r0 < TILE;
    auto sum_of = [&]() {
        const int parts = THREADS / (TILE * p.width);
        float sum = 0.0f;
        for (int q = 0; q < parts; q++) sum += total[q * TILE * p.width + r0 * p.width + u];
        return sum;
    };
    // What the product of one step's gradients takes in: every gate, or r and u alone.
    constexpr int JOINED = KIND == GRU_BEFORE ? 2 : G;
    float saved[SAVED];
    int kept_row = -1, kept_t = 0;
    auto write = [&]() {
        if (kept_row < 0) return;
        float *slot = gates + ((long long)offset[kept_t] + kept_row) * SAVED * n + j;
        kept_row = -1;
#pragma unroll
        for (int g = 0; g < SAVED; g++) {
            // The GRU that resets before: r is still needed, and r∘h stays.
            if (KIND == GRU_BEFORE && (g == 0 || g == 3)) continue;
            slot[g * n] = saved[g];
        }
    };
    for (int t = tokens - 1; t >= -1; t--) {
        float *after = d + ((t + 1) % 2) * buffer, *here = d + ((t + 2) % 2) * buffer;
        at.exchange = exchange + ((t + 2) % 2) * buffer;
        const long long base = t >= 0 ? offset[t] : 0;
        for (int tile = 0; tile < tiles; tile++) {
            write();
            const int r = tile * TILE + r0;
            const bool runs = finishes && j < n && t >= 0 && length[r] > t;
            // Asked for before the product, needed after it.
            float h = 0.0f, c = 0.0f, enters_h = 0.0f, enters_c = 0.0f;
#pragma unroll
            for (int g = 0; g < SAVED; g++) saved[g] = 0.0f;
            if (runs) {
                const float *slot = gates + (base + r) * SAVED * n + j;
#pragma unroll
                for (int g = 0; g < SAVED; g++) saved[g] = slot[g * n];
                h = before[(base + r) * state + j];
                if (KIND == LSTM) c = before[(base + r) * state + n + j];
                const float *out = gradient + origin[r] * pooled_row + (p.pool == EVERY ? (long long)t * state : 0);
                if (p.pool != LAST || length[r] == t + 1) {
                    float share = p.pool == MEAN ? 1.0f / length[r] : 1.0f;
                    enters_h = out[j] * share;
                    if (KIND == LSTM) enters_c = out[n + j] * share;
                }
            }
            backward_stage<0, JOINED, G, K>(p, at, w, after + tile * TILE * line, line, partial, total);
            if (!finishes) continue;
            const int pair = r * p.width + u;
            float dh = carry_h[pair] + sum_of() + enters_h;
            if (t < 0) {
                carry_h[pair] = dh;
                continue;
            }
            float dc = carry_c[pair] + enters_c;
            float rest = step_backward<KIND>(saved, h, c, dh, dc);
#pragma unroll
            for (int g = KIND == GRU_BEFORE ? 1 : 0; g < G; g++)
                hand(p, at, here, r * line + g * p.padded + j, runs ? saved[g] : 0.0f);
            // A row that has not begun its way back has nothing to carry.
            carry_h[pair] = runs ? rest : 0.0f;
            if (KIND == LSTM) carry_c[pair] = runs ? dc : 0.0f;
            if (runs) kept_row = r, kept_t = t;
        }
        if (t < 0) break;
        if constexpr (KIND == GRU_BEFORE) {
            arrive(p, at);
            write();
            wait(p, at, here, buffer);
            for (int tile = 0; tile < tiles; tile++) {
                const int r = tile * TILE + r0;
                const bool runs = finishes && j < n && length[r] > t;
                float reset_gate = 0.0f, h = 0.0f;
                if (runs) {
                    reset_gate = gates[(base + r) * SAVED * n + j];
                    h = before[(base + r) * state + j];
                }
                backward_stage<2, 1, G, K>(p, at, w, here + tile * TILE * line, line, partial, total);
                if (!finishes) continue;
                float d_reset = sum_of();
                float dr = d_reset * h * (reset_gate * (1.0f - reset_gate));
                if (runs) {
                    carry_h[r * p.width + u] = fmaf(d_reset, reset_gate, carry_h[r * p.width + u]);
                    gates[(base + r) * SAVED * n + j] = dr;
                }
                hand(p, at, here, r * line + j, runs ? dr : 0.0f);
            }
        }
        arrive(p, at);
        write();
        wait(p, at, here, buffer);
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
    if (p.clustered) {
        arrive_cluster();
        wait_cluster();
    }
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
