//! The compiled kernels, and how they are launched.

use super::plan::Card;
use candle_core::cuda_backend::cudarc::driver::{
    CudaContext, CudaFunction, CudaModule, CudaStream, sys,
};
use candle_core::cuda_backend::cudarc::nvrtc::Ptx;
use candle_core::{CudaDevice, Result};
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::{Arc, LazyLock, Mutex};

static PERSISTENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/persistent.fatbin"));
static ROUNDED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/rounded.fatbin"));
static NAIVE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/naive.fatbin"));
static AROUND: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/around.fatbin"));

/// The kernels as loaded on one card.
pub struct Kernels {
    modules: [Arc<CudaModule>; 4],
    functions: Mutex<HashMap<String, CudaFunction>>,
    clusters: Mutex<HashMap<(String, u32), usize>>,
    /// What the card offers.
    pub card: Card,
}

/// What `candle` and the driver report, as one error.
pub fn failed(error: impl std::fmt::Debug) -> candle_core::Error {
    candle_core::Error::Msg(format!("CUDA: {error:?}"))
}

/// Freed memory stays with this program: asking the driver again at every step costs more than a pass.
fn keep_memory(context: &CudaContext) -> Result<()> {
    let mut pool = std::ptr::null_mut();
    let mut all = u64::MAX;
    let what = sys::CUmemPool_attribute_enum::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
    // SAFETY: the pool belongs to the device; the attribute is a number of 64 bits.
    unsafe {
        sys::cuDeviceGetDefaultMemPool(&mut pool, context.cu_device()).result().map_err(failed)?;
        sys::cuMemPoolSetAttribute(pool, what, std::ptr::from_mut(&mut all).cast())
            .result()
            .map_err(failed)
    }
}

/// The kernels of a device, loaded at the first call.
pub fn of(device: &CudaDevice) -> Result<Arc<Kernels>> {
    static LOADED: LazyLock<Mutex<HashMap<usize, Arc<Kernels>>>> = LazyLock::new(Mutex::default);
    let stream = device.cuda_stream();
    let context = stream.context();
    let mut loaded = LOADED.lock().expect("nobody panics while loading");
    if let Some(kernels) = loaded.get(&context.ordinal()) {
        return Ok(kernels.clone());
    }
    let kernels = Arc::new(Kernels::load(context)?);
    loaded.insert(context.ordinal(), kernels.clone());
    Ok(kernels)
}

impl Kernels {
    fn load(context: &Arc<CudaContext>) -> Result<Self> {
        use sys::CUdevice_attribute_enum as Attribute;
        let number = |what| context.attribute(what).map(|x| x as usize).map_err(failed);
        keep_memory(context)?;
        let module =
            |bytes: &[u8]| context.load_module(Ptx::from_binary(bytes.to_vec())).map_err(failed);
        Ok(Self {
            modules: [module(PERSISTENT)?, module(ROUNDED)?, module(NAIVE)?, module(AROUND)?],
            functions: Mutex::default(),
            clusters: Mutex::default(),
            card: Card {
                processors: number(Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?,
                shared: number(Attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)?,
                clusters: number(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)? >= 9,
            },
        })
    }

    fn function(&self, name: &str) -> Result<CudaFunction> {
        let mut functions = self.functions.lock().expect("nobody panics while loading");
        if let Some(function) = functions.get(name) {
            return Ok(function.clone());
        }
        let found = self.modules.iter().find_map(|module| module.load_function(name).ok());
        let function = found.ok_or_else(|| failed(format!("no kernel {name}")))?;
        functions.insert(name.to_owned(), function.clone());
        Ok(function)
    }

    /// Clusters of `blocks` blocks of kernel `name` that run side by side.
    pub fn clusters(
        &self,
        stream: &CudaStream,
        name: &str,
        threads: usize,
        blocks: usize,
    ) -> Result<usize> {
        let key = (name.to_owned(), blocks as u32);
        if let Some(&count) = self.clusters.lock().expect("nobody panics while counting").get(&key)
        {
            return Ok(count);
        }
        let launch = Launch {
            grid: (blocks as u32, 1, 1),
            threads,
            shared: 64 * 1024,
            cluster: blocks,
            cooperative: false,
        };
        let function = self.function(name)?;
        launch.allow_shared(&function)?;
        let mut attributes = launch.attributes();
        let config = launch.config(stream, &mut attributes);
        let mut count = 0;
        // SAFETY: `config` and its attributes live until the call returns.
        unsafe { sys::cuOccupancyMaxActiveClusters(&mut count, function.cu_function(), &config) }
            .result()
            .map_err(failed)?;
        self.clusters.lock().expect("nobody panics while counting").insert(key, count as usize);
        Ok(count as usize)
    }

    /// Runs kernel `name`.
    ///
    /// # Safety
    /// `arguments` point to the kernel's parameters, in their order and types, and the arrays they
    /// name hold what the kernel reads and writes.
    pub unsafe fn launch(
        &self,
        stream: &CudaStream,
        name: &str,
        launch: Launch,
        arguments: &mut [*mut c_void],
    ) -> Result<()> {
        let function = self.function(name)?;
        launch.allow_shared(&function)?;
        stream.context().bind_to_thread().map_err(failed)?;
        let mut attributes = launch.attributes();
        let config = launch.config(stream, &mut attributes);
        // SAFETY: the caller's; `config` and its attributes live until the call returns.
        unsafe {
            sys::cuLaunchKernelEx(
                &config,
                function.cu_function(),
                arguments.as_mut_ptr(),
                std::ptr::null_mut(),
            )
        }
        .result()
        .map_err(|e| failed(format!("kernel {name}, {launch:?}: {e:?}")))
    }
}

/// The shape of a launch.
#[derive(Clone, Copy, Debug)]
pub struct Launch {
    /// Blocks.
    pub grid: (u32, u32, u32),
    /// Threads of a block.
    pub threads: usize,
    /// Bytes of shared memory.
    pub shared: usize,
    /// Blocks of a cluster; 1 for none.
    pub cluster: usize,
    /// Whether all blocks must run at once.
    pub cooperative: bool,
}

impl Launch {
    /// Blocks on their own.
    pub fn plain(grid: (usize, usize, usize), threads: usize) -> Self {
        let grid = (grid.0 as u32, grid.1 as u32, grid.2 as u32);
        Self { grid, threads, shared: 0, cluster: 1, cooperative: false }
    }

    fn allow_shared(&self, function: &CudaFunction) -> Result<()> {
        use sys::CUfunction_attribute_enum as Attribute;
        if self.shared <= 48 * 1024 {
            return Ok(());
        }
        let what = Attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
        function.set_attribute(what, self.shared as i32).map_err(failed)
    }

    fn attributes(&self) -> Vec<sys::CUlaunchAttribute> {
        let attribute = |id, fill: &dyn Fn(&mut sys::CUlaunchAttributeValue)| {
            let mut value = sys::CUlaunchAttributeValue { pad: [0; 64] };
            fill(&mut value);
            sys::CUlaunchAttribute { id, pad: [0; 4], value }
        };
        let mut all = Vec::new();
        if self.cluster > 1 {
            all.push(attribute(
                sys::CUlaunchAttributeID_enum::CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION,
                &|value| {
                    value.clusterDim = sys::CUlaunchAttributeValue_union__bindgen_ty_1 {
                        x: self.cluster as u32,
                        y: 1,
                        z: 1,
                    }
                },
            ));
        }
        if self.cooperative {
            all.push(attribute(
                sys::CUlaunchAttributeID_enum::CU_LAUNCH_ATTRIBUTE_COOPERATIVE,
                &|value| value.cooperative = 1,
            ));
        }
        all
    }

    fn config(
        &self,
        stream: &CudaStream,
        attributes: &mut [sys::CUlaunchAttribute],
    ) -> sys::CUlaunchConfig {
        sys::CUlaunchConfig {
            gridDimX: self.grid.0,
            gridDimY: self.grid.1,
            gridDimZ: self.grid.2,
            blockDimX: self.threads as u32,
            blockDimY: 1,
            blockDimZ: 1,
            sharedMemBytes: self.shared as u32,
            hStream: stream.cu_stream(),
            attrs: attributes.as_mut_ptr(),
            numAttrs: attributes.len() as u32,
        }
    }
}
