import {
  DataTypes,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Model,
  type ModelStatic,
  type Sequelize,
} from "sequelize";
import type { Role } from "../domain/user.ts";

export interface UserModel extends Model<InferAttributes<UserModel>, InferCreationAttributes<UserModel>> {
  id: CreationOptional<number>;
  username: string;
  email: string;
  passwordHash: string;
  role: Role;
  createdAt: Date | string;
}

export interface ProductModel extends Model<
  InferAttributes<ProductModel>,
  InferCreationAttributes<ProductModel>
> {
  id: CreationOptional<number>;
  title: string;
  price: number;
  currency: string;
  stock: number;
  sold: CreationOptional<number>;
  startTime: Date | string;
  endTime: Date | string;
  perUserLimit: number;
  createdBy: number;
  createdAt: Date | string;
}

export interface Models {
  readonly users: ModelStatic<UserModel>;
  readonly products: ModelStatic<ProductModel>;
}

/**
 * What single rows are read and written with. Batches (orders, settlements, totals) are plain SQL in their
 * repositories: a model instance a row costs more than the row.
 */
export function defineModels(sequelize: Sequelize): Models {
  const id = { type: DataTypes.BIGINT.UNSIGNED, primaryKey: true, autoIncrement: true };
  const common = { underscored: true, timestamps: false } as const;
  return {
    users: sequelize.define<UserModel>(
      "user",
      {
        id,
        username: { type: DataTypes.STRING(32), allowNull: false },
        email: { type: DataTypes.STRING(254), allowNull: false },
        passwordHash: { type: DataTypes.CHAR(60), allowNull: false },
        role: { type: DataTypes.STRING(8), allowNull: false },
        createdAt: { type: "DATETIME(3)", allowNull: false },
      },
      { ...common, tableName: "users" },
    ),
    products: sequelize.define<ProductModel>(
      "product",
      {
        id,
        title: { type: DataTypes.STRING(200), allowNull: false },
        price: { type: DataTypes.BIGINT.UNSIGNED, allowNull: false },
        currency: { type: DataTypes.CHAR(3), allowNull: false },
        stock: { type: DataTypes.INTEGER.UNSIGNED, allowNull: false },
        sold: { type: DataTypes.INTEGER.UNSIGNED, allowNull: false, defaultValue: 0 },
        startTime: { type: "DATETIME(3)", allowNull: false },
        endTime: { type: "DATETIME(3)", allowNull: false },
        perUserLimit: { type: DataTypes.SMALLINT.UNSIGNED, allowNull: false },
        createdBy: { type: DataTypes.BIGINT.UNSIGNED, allowNull: false },
        createdAt: { type: "DATETIME(3)", allowNull: false },
      },
      { ...common, tableName: "products" },
    ),
  };
}
