//! Who may do what, and through which binding?
