// What stands around the loop over tokens: sums in fixed orders, one-hot input, and Adam.
#include "sequence.cuh"

// One-hot input: rows of the table are columns of A. Grid (distinct, networks).
extern "C" __global__ void columns(float *table, const float *parameters, long long stride, const int *tokens,
                                   int distinct, int rows, int vocabulary) {
    const int d = blockIdx.x, network = blockIdx.y;
    const int token = tokens[network * distinct + d];
    for (int i = threadIdx.x; i < rows; i += blockDim.x) {
        table[((long long)network * distinct + d) * rows + i] =
            token < 0 ? 0.0f : parameters[network * stride + (long long)i * vocabulary + token];
    }
}

// The way back: columns of dA from the sums by token; dA was zero.
extern "C" __global__ void columns_back(float *gradient, const float *sums, long long stride, const int *tokens,
                                        int distinct, int rows, int vocabulary) {
    const int d = blockIdx.x, network = blockIdx.y;
    const int token = tokens[network * distinct + d];
    for (int i = threadIdx.x; i < rows && token >= 0; i += blockDim.x) {
        gradient[network * stride + (long long)i * vocabulary + token] =
            sums[((long long)network * distinct + d) * rows + i];
    }
}

// Rows of an embedding. Grid (distinct, networks); a token below 0 is no token.
extern "C" __global__ void embed(float *vectors, const float *embedding, const int *tokens, int distinct,
                                 int width, int vocabulary) {
    const int d = blockIdx.x, network = blockIdx.y;
    const int token = tokens[network * distinct + d];
    const float *from = embedding + ((long long)network * vocabulary + token) * width;
    float *to = vectors + ((long long)network * distinct + d) * width;
    for (int i = threadIdx.x; i < width; i += blockDim.x) to[i] = token < 0 ? 0.0f : from[i];
}

// Notes each distinct token's row in `index` [networks, vocabulary], or forgets it. Grid (pieces, networks).
extern "C" __global__ void mark(int *index, const int *tokens, int distinct, int vocabulary, int set) {
    const int d = blockIdx.x * blockDim.x + threadIdx.x, network = blockIdx.y;
    if (d >= distinct) return;
    const int token = tokens[network * distinct + d];
    if (token >= 0) index[(long long)network * vocabulary + token] = set ? d : -1;
}

// Gradients of A x + b_ih over one run of one token's slots, in their order. Grid (runs, column pieces,
// networks).
//
// `gates` has `saved` blocks a slot; gate g's gradient is in block (blocks >> 4g) & 15.
extern "C" __global__ void sum_runs(float *sums, const float *gates, const int *slots_by_token, const int *runs,
                                    int count, int slots, int units, int gate_count, int saved, int blocks) {
    const int run = blockIdx.x, network = blockIdx.z, column = blockIdx.y * blockDim.x + threadIdx.x;
    if (column >= gate_count * units) return;
    const int block = (blocks >> (4 * (column / units))) & 15;
    const long long width = (long long)saved * units;
    const float *from = gates + (long long)network * slots * width + block * units + column % units;
    const int *mine = slots_by_token + (long long)network * slots;
    const int first = runs[network * (count + 1) + run], last = runs[network * (count + 1) + run + 1];
    float sum = 0.0f;
    int s = first;
    for (; s + 8 <= last; s += 8) {
        float x[8];
#pragma unroll
        for (int i = 0; i < 8; i++) x[i] = from[mine[s + i] * width];
#pragma unroll
        for (int i = 0; i < 8; i++) sum += x[i];
    }
    for (; s < last; s++) sum += from[mine[s] * width];
    sums[((long long)network * count + run) * gate_count * units + column] = sum;
}

// Each distinct token's runs together. Grid (distinct, column pieces, networks).
extern "C" __global__ void sum_tokens(float *sums, const float *of_runs, const int *first_run, int distinct,
                                      int count, int columns) {
    const int d = blockIdx.x, network = blockIdx.z, column = blockIdx.y * blockDim.x + threadIdx.x;
    if (column >= columns) return;
    const int *bounds = first_run + network * (distinct + 1) + d;
    const float *from = of_runs + (long long)network * count * columns + column;
    float sum = 0.0f;
    int r = bounds[0];
    for (; r + 8 <= bounds[1]; r += 8) {
        float x[8];
#pragma unroll
        for (int i = 0; i < 8; i++) x[i] = from[(long long)(r + i) * columns];
#pragma unroll
        for (int i = 0; i < 8; i++) sum += x[i];
    }
    for (; r < bounds[1]; r++) sum += from[(long long)r * columns];
    sums[((long long)network * distinct + d) * columns + column] = sum;
}

// Sums over rows of a matrix [networks, rows, columns], `pieces` runs of rows each: [networks, pieces,
// columns]. Grid (column pieces, pieces, networks). Called twice it sums all rows.
extern "C" __global__ void sum_rows(float *sums, const float *from, int rows, int columns, long long network_stride,
                                    long long out_stride) {
    const int column = blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= columns) return;
    const int pieces = gridDim.y, each = (rows + pieces - 1) / pieces;
    const int first = blockIdx.y * each, last = min(rows, first + each);
    const float *mine = from + blockIdx.z * network_stride + column;
    float sum = 0.0f;
    int r = first;
    for (; r + 8 <= last; r += 8) {
        float x[8];
#pragma unroll
        for (int i = 0; i < 8; i++) x[i] = mine[(long long)(r + i) * columns];
#pragma unroll
        for (int i = 0; i < 8; i++) sum += x[i];
    }
    for (; r < last; r++) sum += mine[(long long)r * columns];
    sums[blockIdx.z * out_stride + (long long)blockIdx.y * columns + column] = sum;
}

// One optimiser step's numbers, one a network; see train/adam.rs.
struct Step {
    float beta1, beta2, epsilon, first_correction, second_correction, learning_rate, clip, shrink;
};

// A gradient with one number a parameter, or with rows for some tokens alone (`index`: which, or -1).
__device__ inline float gradient_at(const float *gradient, const int *index, int network, long long count,
                                    int rows, int width, long long i) {
    if (!index) return gradient[network * count + i];
    // An array of one network has fewer than 2³² numbers; 32 bits divide faster than 64.
    const unsigned at = (unsigned)i, of = (unsigned)width;
    const int row = index[network * (count / width) + at / of];
    return row < 0 ? 0.0f : gradient[((long long)network * rows + row) * width + at % of];
}

// Sum of squares of g + shrink·x (g null: of x), in f64: [networks, pieces]. Grid (pieces, networks), 256 threads.
extern "C" __global__ void squares(double *sums, const float *gradient, const float *x, const int *index,
                                   const Step *steps, long long count, int rows, int width) {
    SHARED_MEMORY(memory);
    double *partial = (double *)memory;
    const int network = blockIdx.y;
    const float shrink = gradient ? steps[network].shrink : 1.0f;
    double sum = 0.0;
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < count;
         i += (long long)gridDim.x * blockDim.x) {
        float g = gradient ? gradient_at(gradient, index, network, count, rows, width, i) : 0.0f;
        if (shrink != 0.0f) g = fmaf(shrink, x[network * count + i], g);
        sum += (double)g * g;
    }
    partial[threadIdx.x] = sum;
    SYNC_BLOCK();
    for (int half = blockDim.x / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) partial[threadIdx.x] += partial[threadIdx.x + half];
        SYNC_BLOCK();
    }
    if (threadIdx.x == 0) sums[network * gridDim.x + blockIdx.x] = partial[0];
}

// Adam. Grid (pieces, networks). A network whose learning rate is 0 stands still, moments and all.
extern "C" __global__ void adam(float *x, float *first, float *second, const float *gradient, const int *index,
                                const Step *steps, long long count, int rows, int width) {
    const int network = blockIdx.y;
    const Step s = steps[network];
    if (s.learning_rate == 0.0f) return;
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < count;
         i += (long long)gridDim.x * blockDim.x) {
        const long long at = network * count + i;
        float g = s.clip * (gradient_at(gradient, index, network, count, rows, width, i) + s.shrink * x[at]);
        float m = first[at] = s.beta1 * first[at] + (1.0f - s.beta1) * g;
        float v = second[at] = s.beta2 * second[at] + (1.0f - s.beta2) * g * g;
        x[at] -= s.learning_rate * s.first_correction * m / (sqrtf(v) * s.second_correction + s.epsilon);
    }
}
