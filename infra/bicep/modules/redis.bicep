import { texts } from 'types.bicep'

metadata description = 'Azure Managed Redis: Entra logins only. It holds nothing that is not also in PostgreSQL.'

@description('Region of every resource.')
param location string

@description('Tags of every resource.')
param tags texts

@description('Name of the cluster.')
param clusterName string

@description('Size, such as Balanced_B0.')
param skuName string

@description('Two nodes, so that the loss of one is not noticed.')
param highAvailability bool

@description('Whether a private endpoint is the only way in.')
param private bool

@description('Object id of the identity that reads and writes.')
param userPrincipalId string

@description('Id of the workspace that diagnostics go to.')
param workspaceId string

resource cluster 'Microsoft.Cache/redisEnterprise@2025-07-01' = {
  name: clusterName
  location: location
  tags: tags
  sku: { name: skuName }
  properties: {
    minimumTlsVersion: '1.2'
    highAvailability: highAvailability ? 'Enabled' : 'Disabled'
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
  }

  resource database 'databases' = {
    name: 'default'
    properties: {
      accessKeysAuthentication: 'Disabled'
      clientProtocol: 'Encrypted'
      port: 10000
      // One endpoint that hides the shards. A script whose keys lie in several is still refused.
      clusteringPolicy: 'EnterpriseCluster'
      // Full, it drops what was least used among what expires anyway. It is the default, and said because it matters.
      evictionPolicy: 'VolatileLRU'
    }

    resource user 'accessPolicyAssignments' = {
      name: 'app'
      properties: {
        accessPolicyName: 'default'
        user: { objectId: userPrincipalId }
      }
    }
  }
}

#disable-next-line use-recent-api-versions
resource clusterDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: cluster
  properties: {
    workspaceId: workspaceId
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

#disable-next-line use-recent-api-versions
resource databaseDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: cluster::database
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
  }
}

@description('Id of the cluster.')
output clusterId string = cluster.id

@description('Name that the database is reached by.')
output host string = cluster.properties.hostName

@description('Port of the database.')
output port int = cluster::database.properties.port!
