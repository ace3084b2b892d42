//! Where does the network stand still, and how does it move nearby?
